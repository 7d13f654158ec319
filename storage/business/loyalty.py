"""Tiers: whose points have reached a higher one."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, Row, bindparam, text

DUE = """
  FROM business.customers c
  LEFT JOIN business.loyalty_tiers now_at ON now_at.id = c.tier_id
 CROSS JOIN LATERAL (
       SELECT t.id, t.rank
         FROM business.loyalty_tiers t
        WHERE t.points <= c.points
        ORDER BY t.rank DESC
        LIMIT 1
       ) reached
 WHERE reached.rank > coalesce(now_at.rank, 0)
"""
COUNT = text(f"SELECT count(*) {DUE}")
FETCH = text(f"""
SELECT c.id, c.points, c.tier_id, reached.id AS reached_id
{DUE}
   AND c.id > :after
 ORDER BY c.id
 LIMIT :limit
   FOR UPDATE OF c SKIP LOCKED
""")
UPGRADE = text("""
  WITH upgraded AS (
UPDATE business.customers c
   SET tier_id = given.tier_id
  FROM unnest(:ids, :tiers) AS given (id, tier_id)
 WHERE c.id = given.id
RETURNING c.id, c.points, given.tier_id
     )
INSERT INTO business.tier_changes (customer_id, from_tier_id, to_tier_id, points)
SELECT u.id, old.tier_id, u.tier_id, u.points
  FROM upgraded u
  JOIN business.customers old ON old.id = u.id
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("tiers", type_=ARRAY(BigInteger)))


def count_upgrades(connection: Connection) -> int:
    """How many customers have reached a higher tier than they have."""
    count: int = connection.execute(COUNT).scalar_one()
    return count


def fetch_upgrades(connection: Connection, after: int | None, limit: int) -> Sequence[Row[Any]]:
    """Customers who have reached a higher tier: `id, points, tier_id, reached_id`."""
    return connection.execute(FETCH, {"after": after or 0, "limit": limit}).all()


def upgrade(connection: Connection, ids: Sequence[int], tiers: Sequence[int]) -> None:
    """Give each customer the tier, and keep the change."""
    connection.execute(UPGRADE, {"ids": list(ids), "tiers": list(tiers)})
