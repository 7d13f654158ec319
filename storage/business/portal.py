"""Figures of the portal by day (UTC): how much was done, by how many customers, in how many sessions."""

from datetime import date

from sqlalchemy import Connection, text

REMOVE = text("""
DELETE FROM business.portal_daily d
 WHERE d.day = :day
   AND NOT EXISTS (
       SELECT FROM business.portal_events e
        WHERE e.at >= (CAST(:day AS date))::timestamp AT TIME ZONE 'UTC'
          AND e.at < (CAST(:day AS date) + 1)::timestamp AT TIME ZONE 'UTC'
          AND (d.kind = 'all' OR e.kind = d.kind)
       )
""")
COMPUTE = text("""
INSERT INTO business.portal_daily (day, kind, events, customers, sessions)
SELECT :day, coalesce(e.kind, 'all'), count(*), count(DISTINCT e.customer_id), count(DISTINCT e.session_id)
  FROM business.portal_events e
 WHERE e.at >= (CAST(:day AS date))::timestamp AT TIME ZONE 'UTC'
   AND e.at < (CAST(:day AS date) + 1)::timestamp AT TIME ZONE 'UTC'
 GROUP BY GROUPING SETS ((e.kind), ())
HAVING count(*) > 0
    ON CONFLICT (day, kind) DO UPDATE
   SET events = excluded.events,
       customers = excluded.customers,
       sessions = excluded.sessions,
       computed_at = now()
""")
#: After the last day that has figures, the days with events that have none.
MISSED = text("""
SELECT DISTINCT (e.at AT TIME ZONE 'UTC')::date AS day
  FROM business.portal_events e
 WHERE e.at < cast(:before AS date)::timestamp AT TIME ZONE 'UTC'
   AND e.at >= (SELECT max(d.day) + 1 FROM business.portal_daily d
                 WHERE d.day < :before)::timestamp AT TIME ZONE 'UTC'
 ORDER BY day
""")


def missed_days(connection: Connection, before: date) -> list[date]:
    """The days since the last one with figures, up to that one, on which something was done."""
    return list(connection.scalars(MISSED, {"before": before}))


def aggregate(connection: Connection, day: date) -> int:
    """Compute the figures of a day anew, and remove those of kinds without events. Returns their number."""
    connection.execute(REMOVE, {"day": day})
    return connection.execute(COMPUTE, {"day": day}).rowcount
