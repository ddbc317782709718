-- What the calibration says, in sentences.
select sentence
from programme_measurement
order by sentence
