"""What became of promotions' deliveries, day by day."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, Row, bindparam, text

ALL = """
  FROM business.promotions
 WHERE (CAST(:promotion_id AS bigint) IS NULL OR id = :promotion_id)
"""
COUNT = text(f"SELECT count(*) {ALL}")
#: NO KEY: a new delivery, which refers to its promotion, hides none.
FETCH = text(f"""
SELECT id
{ALL}
   AND id > :after
 ORDER BY id
 LIMIT :limit
   FOR NO KEY UPDATE SKIP LOCKED
""")
#: Every row that is right already stays as it is, the time of its computation included.
COMPUTE = text("""
  WITH counted AS (
SELECT promotion_id, CAST(queued_at AT TIME ZONE 'UTC' AS date) AS day, count(*) AS queued
     , count(*) FILTER (WHERE status = 'sent') AS sent
     , count(*) FILTER (WHERE status = 'failed') AS failed
     , count(*) FILTER (WHERE status = 'passed_over') AS passed_over
     , count(opened_at) AS opened, count(redeemed_at) AS redeemed
     , coalesce(sum(revenue_cents), 0) AS revenue_cents
  FROM business.promotion_deliveries
 WHERE promotion_id = ANY(:ids) AND queued_at >= :since
 GROUP BY 1, 2
     ), gone AS (
DELETE FROM business.promotion_daily d
 WHERE d.promotion_id = ANY(:ids) AND d.day >= CAST(:since AT TIME ZONE 'UTC' AS date)
   AND NOT EXISTS (SELECT FROM counted WHERE counted.promotion_id = d.promotion_id AND counted.day = d.day)
RETURNING 1
     ), kept AS (
INSERT INTO business.promotion_daily AS d
       (promotion_id, day, queued, sent, failed, passed_over, opened, redeemed, revenue_cents, computed_at)
SELECT promotion_id, day, queued, sent, failed, passed_over, opened, redeemed, revenue_cents, :now
  FROM counted
    ON CONFLICT (promotion_id, day) DO UPDATE
   SET queued = excluded.queued, sent = excluded.sent, failed = excluded.failed
     , passed_over = excluded.passed_over, opened = excluded.opened, redeemed = excluded.redeemed
     , revenue_cents = excluded.revenue_cents, computed_at = excluded.computed_at
 WHERE (d.queued, d.sent, d.failed, d.passed_over, d.opened, d.redeemed, d.revenue_cents)
       IS DISTINCT FROM (excluded.queued, excluded.sent, excluded.failed, excluded.passed_over
                        , excluded.opened, excluded.redeemed, excluded.revenue_cents)
RETURNING 1
     )
SELECT (SELECT count(*) FROM kept) AS changed, (SELECT count(*) FROM gone) AS removed
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)))


def count_promotions(connection: Connection, promotion_id: int | None) -> int:
    """How many promotions there are; one at most, if an id is given."""
    count: int = connection.execute(COUNT, {"promotion_id": promotion_id}).scalar_one()
    return count


def fetch_promotions(
    connection: Connection, after: int | None, limit: int, promotion_id: int | None
) -> Sequence[Row[Any]]:
    """Promotions, or the given one: rows of `id`."""
    values = {"promotion_id": promotion_id, "after": after or 0, "limit": limit}
    return connection.execute(FETCH, values).all()


def compute(
    connection: Connection, ids: Sequence[int], since: datetime, now: datetime
) -> Row[tuple[int, int]]:
    """Bring these promotions' rows up to date, from the day (UTC) that begins at `since`.

    Returns:
        How many were `changed` or new, and how many `removed`.
    """
    return connection.execute(COMPUTE, {"ids": list(ids), "since": since, "now": now}).one()
