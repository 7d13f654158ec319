"""Air quality: days that are over, with their figures and their reports."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, Row, bindparam, text

from callboard.storage.business.air_quality import COLUMNS, FIGURES, OF_THE_DAY, SET

FINALISE = text(f"""
  WITH days AS (
SELECT l.id
     , (cast(:now AS timestamptz) AT TIME ZONE l.time_zone + interval '1 minute')::date - ago AS day
  FROM business.locations l
 CROSS JOIN generate_series(1, cast(:days AS integer)) AS ago
 WHERE l.id = ANY(:ids)
     )
INSERT INTO business.daily_statistics AS s (location_id, day, {", ".join(COLUMNS)})
SELECT l.id, d.day, {FIGURES}
  FROM days d
  JOIN business.locations l ON l.id = d.id
  JOIN business.measurements m ON {OF_THE_DAY}
  LEFT JOIN business.daily_statistics known ON known.location_id = d.id AND known.day = d.day
 GROUP BY l.id, d.day, known.finalised_at, known.measurements
HAVING known.finalised_at IS NULL
    OR count(m.measured_at) > known.measurements
    OR count(m.measured_at) = known.measurements AND max(m.fetched_at) > known.finalised_at
    ON CONFLICT (location_id, day) DO UPDATE
   SET {SET}, computed_at = now(), finalised_at = now()
RETURNING s.location_id, s.day
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)))

LATEST = text("""
SELECT DISTINCT ON (location_id) location_id, day, us_aqi, dominant
  FROM business.daily_statistics
 WHERE location_id = ANY(:ids)
 ORDER BY location_id, day DESC
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)))

REPORTS = text("""
INSERT INTO business.reports AS r (kind, day, content)
SELECT 'air-quality', s.day::text
     , jsonb_build_object(
       'day', s.day::text,
       'places', count(*),
       'measurements', sum(s.measurements),
       'us_aqi', max(s.us_aqi),
       'worst', (array_agg(l.slug ORDER BY s.us_aqi DESC NULLS LAST, l.slug))[1],
       'by_place', jsonb_object_agg(l.slug, jsonb_build_object(
           'name', l.name, 'measurements', s.measurements, 'us_aqi', s.us_aqi,
           'us_aqi_mean', round(s.us_aqi_mean::numeric, 1), 'us_aqi_max', s.us_aqi_max,
           'eu_aqi_max', s.eu_aqi_max, 'dominant', s.dominant,
           'pm2_5_mean', round(s.pm2_5_mean::numeric, 1), 'pm10_mean', round(s.pm10_mean::numeric, 1)))
       )
  FROM business.daily_statistics s
  JOIN business.locations l ON l.id = s.location_id
 WHERE s.day IN (SELECT f.day FROM business.daily_statistics f
                   LEFT JOIN business.reports made ON made.kind = 'air-quality' AND made.day = f.day::text
                                                  AND made.scope = 'all'
                  WHERE f.day >= cast(:now AS timestamptz)::date - cast(:days AS integer) - 1
                    AND (made.id IS NULL OR made.made_at < f.finalised_at))
 GROUP BY s.day
    ON CONFLICT (kind, day, scope) DO UPDATE
   SET content = excluded.content, made_at = now()
""")


def finalise(connection: Connection, ids: Sequence[int], now: datetime, days: int) -> Sequence[Row[Any]]:
    """Keep the figures of these places' last days that are over, where they are not kept or have changed.

    A day of which there are fewer measurements than there were stays what it is: they have been removed.
    The last minute of a day counts as its end: what is measured in it is added by the next call.

    Returns:
        `location_id, day` of each day that was written.
    """
    return connection.execute(FINALISE, {"ids": list(ids), "now": now, "days": days}).all()


def latest_days(connection: Connection, ids: Sequence[int]) -> Sequence[Row[Any]]:
    """The latest finalised day of each of these places: `location_id, day, us_aqi, dominant`."""
    return connection.execute(LATEST, {"ids": list(ids)}).all()


def make_reports(connection: Connection, now: datetime, days: int) -> int:
    """Make the reports of the last days whose figures are newer than their report. Returns how many."""
    return connection.execute(REPORTS, {"now": now, "days": days}).rowcount
