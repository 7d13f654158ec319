"""Air quality: what the index of a whole day takes, and where it is kept.

As the US EPA has it (40 CFR Part 58, Appendix G): of particles the mean from midnight to midnight, of ozone
and carbon monoxide the highest mean of eight hours within the day, of nitrogen dioxide and sulphur dioxide
the highest hour; each only where three quarters of the hours were measured. The day before is in none.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import ARRAY, BigInteger, Connection, Date, Integer, Row, Text, bindparam, text

from callboard.storage.business.air_quality import OF_THE_DAY
from callboard.storage.tables.business.air import POLLUTANTS

#: Where days have an index.
Table = Literal["current_day_aggregates", "daily_statistics"]
#: What is taken of which pollutant's hours.
_TAKEN = {
    "pm2_5": ("pm2_5", "avg(pm2_5)"),
    "pm10": ("pm10", "avg(pm10)"),
    "o3": ("o3", "max(o3_8h) FILTER (WHERE o3_hours >= 6)"),
    "o3_1h": ("o3", "max(o3)"),
    "no2": ("no2", "max(no2)"),
    "so2": ("so2", "max(so2)"),
    "so2_24h": ("so2", "avg(so2)"),
    "co": ("co", "max(co_8h) FILTER (WHERE co_hours >= 6)"),
}
_MEASURED = "count(DISTINCT date_trunc('hour', measured_at)) FILTER (WHERE {name} IS NOT NULL)"
MEANS = text(f"""
  WITH hours AS (
SELECT d.id, d.day, m.measured_at, {", ".join(f"m.{name}" for name in POLLUTANTS)}
     , avg(m.o3) OVER eight AS o3_8h, count(m.o3) OVER eight AS o3_hours
     , avg(m.co) OVER eight AS co_8h, count(m.co) OVER eight AS co_hours
     , extract(epoch FROM least(:now, (d.day + 1)::timestamp AT TIME ZONE l.time_zone)
                          - d.day::timestamp AT TIME ZONE l.time_zone) / 3600 AS gone
  FROM unnest(:ids, :days) AS d (id, day)
  JOIN business.locations l ON l.id = d.id
  JOIN business.measurements m ON {OF_THE_DAY}
WINDOW eight AS (PARTITION BY d.id, d.day ORDER BY m.measured_at
                 RANGE BETWEEN interval '7 hours' PRECEDING AND CURRENT ROW)
     )
SELECT id AS location_id, day
     , {
    ", ".join(
        f"CASE WHEN {_MEASURED.format(name=name)} >= 0.75 * max(gone) THEN {taken} END AS {key}"
        for key, (name, taken) in _TAKEN.items()
    )
}
  FROM hours
 GROUP BY id, day
""").bindparams(
    bindparam("ids", type_=ARRAY(BigInteger)),
    bindparam("days", type_=ARRAY(Date)),
)
KEEP = """
UPDATE business.{table} t
   SET us_aqi = given.us_aqi, dominant = given.dominant
  FROM unnest(:ids, :days, :us, :dominant) AS given (location_id, day, us_aqi, dominant)
 WHERE t.location_id = given.location_id AND t.day = given.day
"""


def means_of_days(
    connection: Connection, days: Sequence[tuple[int, date]], now: datetime
) -> Sequence[Row[Any]]:
    """What the index of these days (place, day) takes, for a present day of the hours that are over.

    Returns:
        `location_id, day, pm2_5, pm10, o3, o3_1h, no2, so2, so2_24h, co`, None where too little was measured.
    """
    values = {"ids": [place for place, _ in days], "days": [day for _, day in days], "now": now}
    return connection.execute(MEANS, values).all()


def keep_indices(
    connection: Connection,
    table: Table,
    rows: Sequence[dict[str, Any]],
) -> None:
    """Keep the indices of days: `id` (of the place), `day`, `us` and `dominant` (or None)."""
    statement = text(KEEP.format(table=table)).bindparams(
        bindparam("ids", type_=ARRAY(BigInteger)),
        bindparam("days", type_=ARRAY(Date)),
        bindparam("us", type_=ARRAY(Integer)),
        bindparam("dominant", type_=ARRAY(Text)),
    )
    names = {"ids": "id", "days": "day", "us": "us", "dominant": "dominant"}
    connection.execute(statement, {name: [row[key] for row in rows] for name, key in names.items()})
