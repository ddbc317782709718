-- What the calibration in use says, one sentence a programme, scale, version and direction.
select
    programme_id,
    scale_id,
    scale_version,
    direction,
    calibration_version,
    sentence
from programme_measurement
order by programme_id, scale_id, scale_version, direction
