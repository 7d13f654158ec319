"""Air quality: places, what was measured there, and the figures of their days.

A place's day is one of its own time zone. All of these write the same whoever writes it, so no row is locked.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, DateTime, Double, Integer, Row, Text, bindparam, text

from callboard.storage.tables.business.air import POLLUTANTS

PLACE = text("""
INSERT INTO business.locations (slug, name, latitude, longitude, time_zone)
VALUES (:slug, :name, :latitude, :longitude, :time_zone)
    ON CONFLICT (slug) DO NOTHING
""")
_SOME = "enabled AND (cast(:slug AS text) IS NULL OR slug = :slug)"
COUNT = text(f"SELECT count(*) FROM business.locations WHERE {_SOME}")
FETCH = text(f"""
SELECT id, slug, name, latitude, longitude, time_zone
  FROM business.locations
 WHERE {_SOME} AND id > :after
 ORDER BY id
 LIMIT :limit
""")

_NAMES = ", ".join(POLLUTANTS)
KEEP = text(f"""
INSERT INTO business.measurements AS m (location_id, measured_at, {_NAMES})
SELECT location_id, measured_at, {_NAMES}
  FROM unnest(:ids, :times, {", ".join(f":{name}" for name in POLLUTANTS)})
       AS given (location_id, measured_at, {_NAMES})
    ON CONFLICT (location_id, measured_at) DO UPDATE
   SET {", ".join(f"{name} = excluded.{name}" for name in POLLUTANTS)}
     , us_aqi = NULL, eu_aqi = NULL, dominant = NULL, fetched_at = now()
 WHERE ({", ".join(f"m.{name}" for name in POLLUTANTS)})
       IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in POLLUTANTS)})
RETURNING xmax = 0 AS is_new
""").bindparams(
    bindparam("ids", type_=ARRAY(BigInteger)),
    bindparam("times", type_=ARRAY(DateTime(timezone=True))),
    *(bindparam(name, type_=ARRAY(Double)) for name in POLLUTANTS),
)

WITHOUT_INDEX = text(f"""
SELECT m.location_id, m.measured_at, {", ".join(f"m.{name}" for name in POLLUTANTS)}
     , past.pm2_5 AS pm2_5_24h, past.pm10 AS pm10_24h, past.so2 AS so2_24h
     , past.o3 AS o3_8h, past.co AS co_8h
  FROM business.measurements m
 CROSS JOIN LATERAL (
       SELECT avg(b.pm2_5) AS pm2_5, avg(b.pm10) AS pm10, avg(b.so2) AS so2
            , avg(b.o3) FILTER (WHERE b.measured_at > m.measured_at - interval '8 hours') AS o3
            , avg(b.co) FILTER (WHERE b.measured_at > m.measured_at - interval '8 hours') AS co
         FROM business.measurements b
        WHERE b.location_id = m.location_id
          AND b.measured_at > m.measured_at - interval '24 hours' AND b.measured_at <= m.measured_at
       ) past
 WHERE m.location_id = ANY(:ids) AND m.measured_at >= :since AND m.dominant IS NULL
   AND coalesce({", ".join(f"m.{name}" for name in POLLUTANTS)}) IS NOT NULL
 ORDER BY m.location_id, m.measured_at
 LIMIT :limit
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)))
INDEX = text("""
UPDATE business.measurements m
   SET us_aqi = given.us_aqi, eu_aqi = given.eu_aqi, dominant = given.dominant
  FROM unnest(:ids, :times, :us, :eu, :dominant) AS given (location_id, measured_at, us_aqi, eu_aqi, dominant)
 WHERE m.location_id = given.location_id AND m.measured_at = given.measured_at
""").bindparams(
    bindparam("ids", type_=ARRAY(BigInteger)),
    bindparam("times", type_=ARRAY(DateTime(timezone=True))),
    bindparam("us", type_=ARRAY(Integer)),
    bindparam("eu", type_=ARRAY(Integer)),
    bindparam("dominant", type_=ARRAY(Text)),
)

COLUMNS = (
    "measurements",
    *(f"{name}_mean" for name in POLLUTANTS),
    *(f"{name}_max" for name in POLLUTANTS),
    "us_aqi_mean",
    "us_aqi_max",
    "eu_aqi_max",
)
_FIGURES = f"""
       count(m.measured_at)
     , {", ".join(f"avg(m.{name})" for name in POLLUTANTS)}
     , {", ".join(f"max(m.{name})" for name in POLLUTANTS)}
     , avg(m.us_aqi), max(m.us_aqi), max(m.eu_aqi)
"""
#: The measurements `m` of the place `l` on its day `d.day`.
OF_THE_DAY = """
       m.location_id = l.id
   AND m.measured_at >= d.day::timestamp AT TIME ZONE l.time_zone
   AND m.measured_at < (d.day + 1)::timestamp AT TIME ZONE l.time_zone
"""
#: A day's own index is given to it afterwards.
_SET = ", ".join(f"{column} = excluded.{column}" for column in COLUMNS) + ", us_aqi = NULL, dominant = NULL"
TODAY = text(f"""
INSERT INTO business.current_day_aggregates (location_id, day, {", ".join(COLUMNS)})
SELECT l.id, d.day, {_FIGURES}
  FROM business.locations l
 CROSS JOIN LATERAL (SELECT (cast(:now AS timestamptz) AT TIME ZONE l.time_zone)::date AS day) d
  LEFT JOIN business.measurements m ON {OF_THE_DAY}
 WHERE l.id = ANY(:ids)
 GROUP BY l.id, d.day
    ON CONFLICT (location_id) DO UPDATE
   SET day = excluded.day, {_SET}, computed_at = now()
RETURNING location_id, day
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)))
#: What the statistics of days share with those of the present one.
FIGURES, SET = _FIGURES, _SET


def add_place(connection: Connection, **place: Any) -> None:
    """Add a place (slug, name, latitude, longitude, time_zone), if there is none of that slug."""
    connection.execute(PLACE, place)


def count_places(connection: Connection, slug: str | None) -> int:
    """How many places are measured: all that are enabled, or the one of that slug."""
    count: int = connection.execute(COUNT, {"slug": slug}).scalar_one()
    return count


def fetch_places(
    connection: Connection, slug: str | None, after: int | None, limit: int
) -> Sequence[Row[Any]]:
    """Places that are measured: `id, slug, name, latitude, longitude, time_zone`."""
    return connection.execute(FETCH, {"slug": slug, "after": after or 0, "limit": limit}).all()


def keep_measurements(connection: Connection, rows: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """Keep measurements: `id` (of the place), `at`, and a concentration for each pollutant.

    Returns how many are new, and how many have changed; those that say what is known already do neither.
    """
    values: dict[str, Any] = {"ids": [row["id"] for row in rows], "times": [row["at"] for row in rows]}
    values |= {name: [row[name] for row in rows] for name in POLLUTANTS}
    new = [row.is_new for row in connection.execute(KEEP, values)]
    return sum(new), len(new) - sum(new)


def without_index(
    connection: Connection, ids: Sequence[int], since: datetime, limit: int
) -> Sequence[Row[Any]]:
    """Measurements of these places that have no index yet, with their means of 24 and of 8 hours."""
    return connection.execute(WITHOUT_INDEX, {"ids": list(ids), "since": since, "limit": limit}).all()


def set_indices(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Keep the indices of measurements: `id` (of the place), `at`, `us`, `eu` (or None), `dominant`."""
    names = {"ids": "id", "times": "at", "us": "us", "eu": "eu", "dominant": "dominant"}
    connection.execute(INDEX, {name: [row[key] for row in rows] for name, key in names.items()})


def add_up_today(connection: Connection, ids: Sequence[int], now: datetime) -> Sequence[Row[Any]]:
    """Bring the figures of these places' present day up to date. Returns `location_id, day` of each."""
    return connection.execute(TODAY, {"ids": list(ids), "now": now}).all()
