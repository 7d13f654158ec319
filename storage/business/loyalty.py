"""Tiers: whose jobs have earned points that are not credited yet, and who has reached a higher tier.

A completed job earns a point for each euro, times the multiplier of the tier that the customer has when it is
credited. A tier that is reached brings its bonus, once, and so do those that are leapt over.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, Row, bindparam, text

#: Jobs of the customer `c` that are worth points and have brought none. Less than a euro is worth nothing.
UNCREDITED = """
       j.customer_id = c.id AND j.completed_at <= now() AND j.amount_cents >= 100
   AND NOT EXISTS (
       SELECT FROM business.points_ledger l
        WHERE l.customer_id = j.customer_id AND l.reason = 'job' AND l.reference = j.id::text
       )
"""
DUE = f"""
  FROM business.customers c
  LEFT JOIN business.loyalty_tiers now_at ON now_at.id = c.tier_id
 WHERE (EXISTS (SELECT FROM business.completed_jobs j WHERE {UNCREDITED})
        OR EXISTS (
           SELECT FROM business.loyalty_tiers t
            WHERE t.points <= c.points AND t.rank > coalesce(now_at.rank, 0)
           ))
"""
COUNT = text(f"SELECT count(*) {DUE}")
FETCH = text(f"""
SELECT c.id
{DUE}
   AND c.id > :after
 ORDER BY c.id
 LIMIT :limit
   FOR NO KEY UPDATE OF c SKIP LOCKED
""")
IDS = bindparam("ids", type_=ARRAY(BigInteger))
CREDIT = text(f"""
  WITH credited AS (
INSERT INTO business.points_ledger (customer_id, points, reason, reference)
SELECT c.id, floor(j.amount_cents * coalesce(now_at.multiplier, 1) / 100), 'job', j.id::text
  FROM business.customers c
  LEFT JOIN business.loyalty_tiers now_at ON now_at.id = c.tier_id
  JOIN business.completed_jobs j ON {UNCREDITED}
 WHERE c.id = ANY(:ids)
    ON CONFLICT (customer_id, reason, reference) DO NOTHING
RETURNING customer_id, points
     ), added AS (
UPDATE business.customers c
   SET points = c.points + sums.points
  FROM (SELECT customer_id, sum(points) AS points FROM credited GROUP BY customer_id) sums
 WHERE c.id = sums.customer_id
     )
SELECT count(*) FROM credited
""").bindparams(IDS)
#: A tier's bonus is given once, whatever becomes of the customer's tier afterwards.
UPGRADE = text("""
  WITH risen AS (
SELECT c.id, c.points, c.tier_id AS from_id, coalesce(now_at.rank, 0) AS from_rank
     , reached.id AS to_id, reached.rank AS to_rank
  FROM business.customers c
  LEFT JOIN business.loyalty_tiers now_at ON now_at.id = c.tier_id
 CROSS JOIN LATERAL (
       SELECT t.id, t.rank
         FROM business.loyalty_tiers t
        WHERE t.points <= c.points
        ORDER BY t.rank DESC
        LIMIT 1
       ) reached
 WHERE c.id = ANY(:ids) AND reached.rank > coalesce(now_at.rank, 0)
     ), bonuses AS (
INSERT INTO business.points_ledger (customer_id, points, reason, reference)
SELECT r.id, t.bonus, 'tier', t.id::text
  FROM risen r
  JOIN business.loyalty_tiers t ON t.rank > r.from_rank AND t.rank <= r.to_rank AND t.bonus > 0
    ON CONFLICT (customer_id, reason, reference) DO NOTHING
RETURNING customer_id, points
     ), changed AS (
INSERT INTO business.tier_changes (customer_id, from_tier_id, to_tier_id, points)
SELECT id, from_id, to_id, points FROM risen
     )
UPDATE business.customers c
   SET tier_id = r.to_id
     , points = c.points
              + coalesce((SELECT sum(b.points) FROM bonuses b WHERE b.customer_id = c.id), 0)
  FROM risen r
 WHERE c.id = r.id
RETURNING c.id
""").bindparams(IDS)


def count_due(connection: Connection) -> int:
    """How many customers have jobs to be credited, or have reached a higher tier than they have."""
    count: int = connection.execute(COUNT).scalar_one()
    return count


def fetch_due(connection: Connection, after: int | None, limit: int) -> Sequence[Row[Any]]:
    """Customers who have jobs to be credited, or have reached a higher tier: rows of `id`."""
    return connection.execute(FETCH, {"after": after or 0, "limit": limit}).all()


def credit_jobs(connection: Connection, ids: Sequence[int]) -> int:
    """Credit these customers with the points of their jobs, each job once. Returns how many jobs."""
    count: int = connection.execute(CREDIT, {"ids": list(ids)}).scalar_one()
    return count


def upgrade(connection: Connection, ids: Sequence[int]) -> set[int]:
    """Give those of these customers who have reached a higher tier that tier and its bonus.

    A bonus may reach the next tier: it is given by the next call. Returns the ids of those who rose.
    """
    return set(connection.scalars(UPGRADE, {"ids": list(ids)}))
