"""Triggers: which customers have met the condition of a promotion."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from callboard.storage.business.reach import PROMOTABLE

#: A number of days beyond this one is no date any more.
LONGEST = 36_500
RUNNING = f"""
SELECT t.id, t.promotion_id, t.kind, t.amount_cents, least(t.days, {LONGEST}) AS days
     , least(t.cooldown_days, {LONGEST}) AS cooldown_days
  FROM business.promotion_triggers t
  JOIN business.promotions p ON p.id = t.promotion_id
 WHERE t.enabled AND p.status = 'active' AND p.starts_at <= :now
   AND (p.ends_at IS NULL OR p.ends_at > :now)
   AND (CAST(:promotion_id AS bigint) IS NULL OR p.id = :promotion_id)
"""
WANTING = f"""
  FROM business.customers c
 WHERE {PROMOTABLE} AND EXISTS ({RUNNING})
   AND (CAST(:customer_id AS bigint) IS NULL OR c.id = :customer_id)
"""
COUNT = text(f"SELECT count(*) {WANTING}")
#: NO KEY: whoever only refers to the customer, as every new row about one does, hides nobody.
FETCH = text(f"""
SELECT c.id
{WANTING}
   AND c.id > :after
 ORDER BY c.id
 LIMIT :limit
   FOR NO KEY UPDATE OF c SKIP LOCKED
""")
#: Who was born on 29 February has a birthday on 28 February of a year that has no 29th.
BIRTHDAY = """
(to_char(c.birthday, 'MMDD') = to_char(at.day, 'MMDD')
 OR to_char(c.birthday, 'MMDD') = '0229' AND to_char(at.day, 'MMDD') = '0228'
    AND to_char(at.day + 1, 'MMDD') = '0301')
"""
INACTIVE = """
greatest(c.created_at, (SELECT max(j.completed_at) FROM business.completed_jobs j WHERE j.customer_id = c.id))
<= :now - t.days * interval '1 day'
"""
JOINED = """
(c.created_at <= :now - t.days * interval '1 day'
 AND c.created_at > :now - (t.days + :grace_days) * interval '1 day')
"""
SPENT = """
(SELECT sum(j.amount_cents)
   FROM business.completed_jobs j
  WHERE j.customer_id = c.id AND j.completed_at <= :now
    AND (t.days = 0 OR j.completed_at > :now - t.days * interval '1 day')
    AND (had.queued_at IS NULL OR j.completed_at > had.queued_at)
) >= t.amount_cents
"""
#: Of several triggers of one promotion, the first gives it.
GIVE = text(f"""
  WITH running AS ({RUNNING}), given AS (
INSERT INTO business.promotion_deliveries (promotion_id, customer_id, trigger_id, due_on, queued_at)
SELECT DISTINCT ON (c.id, t.promotion_id) t.promotion_id, c.id, t.id, at.day, :now
  FROM business.customers c
 CROSS JOIN running t
 CROSS JOIN LATERAL (
       SELECT coalesce(CAST(CAST(:days AS jsonb) ->> c.time_zone AS date), :today) AS day
       ) at
 CROSS JOIN LATERAL (
       SELECT max(d.due_on) AS day, max(d.queued_at) AS queued_at
         FROM business.promotion_deliveries d
        WHERE d.promotion_id = t.promotion_id AND d.customer_id = c.id
       ) had
 WHERE c.id = ANY(:ids)
   AND (had.day IS NULL OR t.kind <> 'joined' AND had.day <= at.day - t.cooldown_days)
   AND CASE t.kind WHEN 'birthday' THEN {BIRTHDAY} WHEN 'inactive' THEN {INACTIVE}
                   WHEN 'joined' THEN {JOINED} WHEN 'spent' THEN {SPENT} END
 ORDER BY c.id, t.promotion_id, t.id
    ON CONFLICT (promotion_id, customer_id, due_on) DO NOTHING
RETURNING trigger_id
     )
SELECT t.kind, count(*) AS n
  FROM given
  JOIN running t ON t.id = given.trigger_id
 GROUP BY t.kind
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("days", type_=JSONB))
EVALUATED = text(f"""
UPDATE business.promotion_triggers SET last_evaluated_at = :now WHERE id IN (SELECT r.id FROM ({RUNNING}) r)
""")


def count_wanting(connection: Connection, which: Mapping[str, Any]) -> int:
    """How many customers the triggers are held against; `which` as for `fetch_wanting`."""
    count: int = connection.execute(COUNT, which).scalar_one()
    return count


def fetch_wanting(
    connection: Connection, after: int | None, limit: int, which: Mapping[str, Any]
) -> Sequence[Row[Any]]:
    """Customers who want promotions, if a trigger is in force: rows of `id`.

    Args:
        which: `now`; `promotion_id` and `customer_id`, each None for all of them.
    """
    return connection.execute(FETCH, {**which, "after": after or 0, "limit": limit}).all()


def give(connection: Connection, ids: Sequence[int], which: Mapping[str, Any]) -> dict[str, int]:
    """Queue what the triggers give these customers. Returns how many deliveries, by kind of trigger.

    Args:
        which: as for `fetch_wanting`, and the day in each time zone in `days` (ISO, by zone), `today` in
            others, and for how many `grace_days` somebody still counts as having just joined.
    """
    return {row.kind: row.n for row in connection.execute(GIVE, {**which, "ids": list(ids)})}


def keep_evaluated(connection: Connection, which: Mapping[str, Any]) -> None:
    """Keep that the triggers in force have been evaluated now; `which` as for `fetch_wanting`."""
    connection.execute(EVALUATED, which)
