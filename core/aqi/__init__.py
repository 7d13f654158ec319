"""How good the air is: the index of the US EPA and the European one, from what is in a cubic metre.

Concentrations are in micrograms a cubic metre, by pollutant: `pm2_5, pm10, o3, no2, so2, co`. One that was
not measured is None, or left out.
"""

from callboard.core.aqi.eu import eu_aqi
from callboard.core.aqi.index import POLLUTANTS, Index
from callboard.core.aqi.us import us_aqi

__all__ = ["POLLUTANTS", "Index", "eu_aqi", "us_aqi"]
