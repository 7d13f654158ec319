"""Achievements: which customers have reached one that they do not have yet."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, Row, bindparam, text

#: What counts for each kind: jobs, cents, referrals that were rewarded, reviews, days since joining.
DUE = """
  FROM business.customers c
 CROSS JOIN LATERAL (
       SELECT count(*) AS jobs, coalesce(sum(j.amount_cents), 0) AS spent
         FROM business.completed_jobs j WHERE j.customer_id = c.id
       ) work
 CROSS JOIN LATERAL (
       SELECT count(*) AS referrals FROM business.referrals r
        WHERE r.referrer_id = c.id AND r.status = 'rewarded'
       ) brought
 CROSS JOIN LATERAL (
       SELECT count(*) AS reviews FROM business.review_requests q
        WHERE q.customer_id = c.id AND q.reviewed_at IS NOT NULL
       ) told
 CROSS JOIN LATERAL (
       SELECT array_agg(a.id ORDER BY a.id) AS achievements, array_agg(a.points ORDER BY a.id) AS worth
         FROM business.achievements a
        WHERE a.threshold <= CASE a.kind
              WHEN 'jobs' THEN work.jobs
              WHEN 'spent' THEN work.spent
              WHEN 'referrals' THEN brought.referrals
              WHEN 'reviews' THEN told.reviews
              WHEN 'days' THEN extract(day FROM now() - c.created_at)
              END
          AND NOT EXISTS (
              SELECT FROM business.customer_achievements h
               WHERE h.customer_id = c.id AND h.achievement_id = a.id
              )
       ) due
 WHERE due.achievements IS NOT NULL
"""
FETCH = text(f"""
SELECT c.id, due.achievements, due.worth
{DUE}
   AND c.id > :after
 ORDER BY c.id
 LIMIT :limit
   FOR NO KEY UPDATE OF c SKIP LOCKED
""")
AWARD = text("""
INSERT INTO business.customer_achievements (customer_id, achievement_id)
SELECT * FROM unnest(:customers, :achievements)
    ON CONFLICT DO NOTHING
""").bindparams(
    bindparam("customers", type_=ARRAY(BigInteger)), bindparam("achievements", type_=ARRAY(BigInteger))
)


def fetch_due(connection: Connection, after: int | None, limit: int) -> Sequence[Row[Any]]:
    """Customers with achievements to be awarded: `id, achievements, worth`, the latter two side by side."""
    return connection.execute(FETCH, {"after": after or 0, "limit": limit}).all()


def award(connection: Connection, customers: Sequence[int], achievements: Sequence[int]) -> None:
    """Give each customer the achievement beside it."""
    connection.execute(AWARD, {"customers": list(customers), "achievements": list(achievements)})
