"""Referrals: which are converted by a first job, and which have waited too long."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, Row, bindparam, text

#: A referral is converted by the referred customer's first job after it, within the days that it holds.
FETCH = text("""
SELECT r.id, r.referrer_id, r.referred_id, first.completed_at
  FROM business.referrals r
  LEFT JOIN LATERAL (
       SELECT min(j.completed_at) AS completed_at
         FROM business.completed_jobs j
        WHERE j.customer_id = r.referred_id
          AND j.completed_at >= r.created_at
          AND j.completed_at <= r.created_at + make_interval(days => :days)
       ) first ON true
 WHERE r.status = 'pending'
   AND r.id > :after
   AND (first.completed_at IS NOT NULL OR r.created_at < now() - make_interval(days => :days))
 ORDER BY r.id
 LIMIT :limit
   FOR NO KEY UPDATE OF r SKIP LOCKED
""")
REWARD = text("""
UPDATE business.referrals r
   SET status = 'rewarded',
       rewarded_at = now(),
       converted_at = (
       SELECT min(j.completed_at) FROM business.completed_jobs j
        WHERE j.customer_id = r.referred_id AND j.completed_at >= r.created_at
       )
 WHERE r.id = ANY(:ids)
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)))
EXPIRE = text("UPDATE business.referrals SET status = 'expired' WHERE id = ANY(:ids)").bindparams(
    bindparam("ids", type_=ARRAY(BigInteger))
)


def fetch_due(connection: Connection, after: int | None, limit: int, days: int) -> Sequence[Row[Any]]:
    """Pending referrals that are converted or too old: `id, referrer_id, referred_id, completed_at`.

    `completed_at` is None for one that is too old.
    """
    return connection.execute(FETCH, {"after": after or 0, "limit": limit, "days": days}).all()


def reward(connection: Connection, ids: Sequence[int]) -> None:
    """Mark referrals as converted and rewarded."""
    connection.execute(REWARD, {"ids": list(ids)})


def expire(connection: Connection, ids: Sequence[int]) -> None:
    """Mark referrals as too old."""
    connection.execute(EXPIRE, {"ids": list(ids)})
