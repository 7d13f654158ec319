"""Promotions: which have ended, and which of their deliveries are due."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, BigInteger, Connection, Row, Text, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from callboard.storage.business.reach import PROMOTABLE

END = text("""
UPDATE business.promotions
   SET status = 'ended'
 WHERE status = 'active' AND ends_at <= :now
   AND (CAST(:promotion_id AS bigint) IS NULL OR id = :promotion_id)
""")
#: What the outbound runner has given up after all, or has sent after all, of the last days.
FOLLOW = text("""
UPDATE business.promotion_deliveries d
   SET status = CASE o.status WHEN 'failed' THEN 'failed' ELSE 'sent' END
     , reason = CASE o.status WHEN 'failed' THEN coalesce(o.error, 'the message failed') END
  FROM business."OutboundJob" o
 WHERE o.id = d.outbound_id AND o.status IN ('failed', 'done') AND o."completedAt" >= :since
   AND (d.status, o.status) IN (('sent', 'failed'), ('failed', 'done'))
   AND (CAST(:promotion_id AS bigint) IS NULL OR d.promotion_id = :promotion_id)
   AND (CAST(:customer_id AS bigint) IS NULL OR d.customer_id = :customer_id)
RETURNING d.status
""")
#: A delivery waits for its day where the customer lives, and for its promotion to be begun.
DUE = """
  FROM business.promotion_deliveries d
  JOIN business.promotions p ON p.id = d.promotion_id
  JOIN business.customers c ON c.id = d.customer_id
 WHERE d.status = 'queued' AND p.status <> 'draft' AND p.starts_at <= :now
   AND d.due_on <= coalesce(CAST(CAST(:days AS jsonb) ->> c.time_zone AS date), :today)
   AND (CAST(:promotion_id AS bigint) IS NULL OR d.promotion_id = :promotion_id)
   AND (CAST(:customer_id AS bigint) IS NULL OR d.customer_id = :customer_id)
"""
DAYS = bindparam("days", type_=JSONB)
COUNT = text(f"SELECT count(*) {DUE}").bindparams(DAYS)
FETCH = text(f"""
SELECT d.id, d.customer_id, p.name AS promotion, p.text, p.discount_percent, p.ends_at
     , c.name, c.phone, c.time_zone
     , CASE WHEN p.status = 'ended' OR p.ends_at <= :now THEN 'the promotion has ended'
            WHEN c.phone IS NULL THEN 'no telephone number'
            WHEN {PROMOTABLE} IS NOT TRUE THEN 'no consent' END AS reason
{DUE}
   AND d.id > :after
 ORDER BY d.id
 LIMIT :limit
   FOR NO KEY UPDATE OF d SKIP LOCKED
""").bindparams(DAYS)
SETTLE = text("""
UPDATE business.promotion_deliveries d
   SET status = CASE WHEN given.reason IS NULL THEN 'sent' ELSE 'passed_over' END
     , reason = given.reason, outbound_id = given.outbound_id, handled_at = :now
  FROM unnest(:ids, :reasons, :outbound_ids) AS given (id, reason, outbound_id)
 WHERE d.id = given.id
""").bindparams(
    bindparam("ids", type_=ARRAY(BigInteger)),
    bindparam("reasons", type_=ARRAY(Text)),
    bindparam("outbound_ids", type_=ARRAY(BigInteger)),
)


class Settled(NamedTuple):
    """What has become of a delivery: why it was passed over, or else the id of its message."""

    id: int
    reason: str | None
    outbound_id: int | None


def end_promotions(connection: Connection, promotion_id: int | None, now: datetime) -> int:
    """End the active promotions whose time is over. Returns how many."""
    return connection.execute(END, {"promotion_id": promotion_id, "now": now}).rowcount


def follow_messages(connection: Connection, which: Mapping[str, Any]) -> int:
    """Bring deliveries up to date with their messages that have ended. Returns how many have `failed`.

    Args:
        which: ended `since` then; `promotion_id` and `customer_id`, each None for all of them.
    """
    return list(connection.scalars(FOLLOW, which)).count("failed")


def count_due(connection: Connection, which: Mapping[str, Any]) -> int:
    """How many deliveries are due; `which` as for `fetch_due`."""
    count: int = connection.execute(COUNT, which).scalar_one()
    return count


def fetch_due(
    connection: Connection, after: int | None, limit: int, which: Mapping[str, Any]
) -> Sequence[Row[Any]]:
    """Queued deliveries whose day has come, of promotions that have begun.

    Args:
        which: `now`; the day in each time zone in `days` (ISO, by zone), `today` in others; `promotion_id`
            and `customer_id`, each None for all of them.

    Returns:
        Rows of `id, customer_id, promotion, text, discount_percent, ends_at, name, phone, time_zone, reason`,
        the last one where it must be passed over.
    """
    return connection.execute(FETCH, {**which, "after": after or 0, "limit": limit}).all()


def settle(connection: Connection, settled: Sequence[Settled], now: datetime) -> None:
    """Keep what has become of deliveries."""
    ids, reasons, outbound_ids = zip(*settled, strict=True)
    values = {"ids": list(ids), "reasons": list(reasons), "outbound_ids": list(outbound_ids), "now": now}
    connection.execute(SETTLE, values)
