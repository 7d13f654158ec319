"""What became of opportunities, day by day."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import ARRAY, Connection, Date, Row, bindparam, text

FIRST = text("""
SELECT CAST(least(min(created_at), (SELECT min(made_at) FROM business.offers)) AT TIME ZONE 'UTC' AS date)
  FROM business.opportunities
""")
#: Every row that is right already stays as it is, the time of its computation included.
COMPUTE = text("""
  WITH events AS (
SELECT created_at AS at, source, 1 AS created, 0 AS offered, 0 AS won, 0 AS lost, 0 AS expired
     , value_cents AS created_cents, 0 AS won_cents
  FROM business.opportunities
 WHERE created_at >= :begins AND created_at < :ends
 UNION ALL
SELECT f.made_at, o.source, 0, 1, 0, 0, 0, 0, 0
  FROM business.offers f
  JOIN business.opportunities o ON o.id = f.opportunity_id
 WHERE f.made_at >= :begins AND f.made_at < :ends
 UNION ALL
SELECT closed_at, source, 0, 0, (status = 'won')::integer, (status = 'lost')::integer
     , (status = 'expired')::integer, 0, CASE status WHEN 'won' THEN value_cents ELSE 0 END
  FROM business.opportunities
 WHERE closed_at >= :begins AND closed_at < :ends
     ), counted AS (
SELECT CAST(at AT TIME ZONE 'UTC' AS date) AS day, source, sum(created) AS created, sum(offered) AS offered
     , sum(won) AS won, sum(lost) AS lost, sum(expired) AS expired, sum(created_cents) AS created_cents
     , sum(won_cents) AS won_cents
  FROM events
 GROUP BY 1, 2
     ), gone AS (
DELETE FROM business.opportunity_daily d
 WHERE d.day = ANY(:days)
   AND NOT EXISTS (SELECT FROM counted WHERE counted.day = d.day AND counted.source = d.source)
RETURNING 1
     ), kept AS (
INSERT INTO business.opportunity_daily AS d
       (day, source, created, offered, won, lost, expired, created_cents, won_cents, computed_at)
SELECT day, source, created, offered, won, lost, expired, created_cents, won_cents, :now
  FROM counted
    ON CONFLICT (day, source) DO UPDATE
   SET created = excluded.created, offered = excluded.offered, won = excluded.won, lost = excluded.lost
     , expired = excluded.expired, created_cents = excluded.created_cents, won_cents = excluded.won_cents
     , computed_at = excluded.computed_at
 WHERE (d.created, d.offered, d.won, d.lost, d.expired, d.created_cents, d.won_cents)
       IS DISTINCT FROM (excluded.created, excluded.offered, excluded.won, excluded.lost, excluded.expired
                        , excluded.created_cents, excluded.won_cents)
RETURNING 1
     )
SELECT (SELECT count(*) FROM kept) AS changed, (SELECT count(*) FROM gone) AS removed
""").bindparams(bindparam("days", type_=ARRAY(Date)))


def first_day(connection: Connection) -> date | None:
    """The first day on which anything happened to an opportunity; None: there are none."""
    found: date | None = connection.scalar(FIRST)
    return found


def compute(connection: Connection, days: Sequence[date], now: datetime) -> Row[tuple[int, int]]:
    """Bring the rows of these days (UTC, one after the other) up to date.

    Returns:
        How many were `changed` or new, and how many `removed`.
    """
    begins = datetime.combine(days[0], datetime.min.time(), tzinfo=now.tzinfo)
    ends = begins + timedelta(days=len(days))
    values = {"days": list(days), "begins": begins, "ends": ends, "now": now}
    return connection.execute(COMPUTE, values).one()
