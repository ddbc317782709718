-- What the calibration in use says, one sentence a programme and scale.
select
    programme_id,
    scale_id,
    calibration_version,
    sentence
from programme_measurement
order by programme_id, scale_id
