"""Opportunities: whose customer is to have an offer, a reminder of it, or neither any more."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, Integer, Row, bindparam, text

from callboard.storage.business.reach import PROMOTABLE, undelivered

SCOPE = "(CAST(:customer_id AS bigint) IS NULL OR o.customer_id = :customer_id)"
MISSED = f"""
  FROM business.opportunities o
  JOIN business.customers c ON c.id = o.customer_id
 WHERE o.status = 'open' AND o.missed_at BETWEEN :earliest AND :latest
   AND {PROMOTABLE} AND {SCOPE}
   AND NOT EXISTS (SELECT FROM business.offers f WHERE f.opportunity_id = o.id)
   AND NOT EXISTS (
       SELECT FROM business.opportunities other
        WHERE other.customer_id = o.customer_id AND other.status = 'offered'
       )
"""
COUNT_MISSED = text(f"SELECT count(*) {MISSED}")
FETCH_MISSED = text(f"""
SELECT o.id, o.customer_id, o.title, o.value_cents, c.name, c.phone, c.time_zone
{MISSED}
   AND o.id > :after
 ORDER BY o.id
 LIMIT :limit
   FOR NO KEY UPDATE OF o SKIP LOCKED
""")
#: Of several opportunities of one customer, the first gets its offer.
MAKE = text("""
  WITH chosen AS (
SELECT DISTINCT ON (o.customer_id) o.id, given.discount
  FROM unnest(:ids, :discounts) AS given (id, discount)
  JOIN business.opportunities o ON o.id = given.id
 WHERE NOT EXISTS (
       SELECT FROM business.opportunities other
        WHERE other.customer_id = o.customer_id AND other.status = 'offered'
       )
 ORDER BY o.customer_id, o.id
     ), offered AS (
UPDATE business.opportunities o
   SET status = 'offered'
  FROM chosen
 WHERE o.id = chosen.id
     )
INSERT INTO business.offers (opportunity_id, discount_percent, made_at, expires_at)
SELECT id, discount, :now, :expires_at FROM chosen
RETURNING id, opportunity_id
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("discounts", type_=ARRAY(Integer)))
LINK = text("""
UPDATE business.offers f
   SET outbound_id = given.outbound_id
  FROM unnest(:ids, :outbound_ids) AS given (id, outbound_id)
 WHERE f.id = given.id
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("outbound_ids", type_=ARRAY(BigInteger)))

#: `reached` is the number of reminders that should have been sent by now.
OFFERED = f"""
  FROM business.opportunities o
  JOIN business.offers f ON f.opportunity_id = o.id
  JOIN business.customers c ON c.id = o.customer_id
 CROSS JOIN LATERAL (
       SELECT count(*) AS reminders
         FROM unnest(:steps) AS s (days)
        WHERE f.made_at <= :now - s.days * interval '1 day'
       ) reached
 WHERE o.status = 'offered' AND f.accepted_at IS NULL AND {SCOPE}
   AND (f.expires_at <= :now
        OR f.reminders < reached.reminders AND coalesce(f.last_reminder_at, f.made_at) <= :pause
           AND {PROMOTABLE} AND NOT {undelivered("f.outbound_id")})
"""
STEPS = bindparam("steps", type_=ARRAY(Integer))
COUNT_OFFERED = text(f"SELECT count(*) {OFFERED}").bindparams(STEPS)
FETCH_OFFERED = text(f"""
SELECT o.id, o.customer_id, o.title, f.id AS offer_id, f.discount_percent, f.expires_at
     , f.expires_at <= :now AS expired, reached.reminders, c.name, c.phone, c.time_zone
{OFFERED}
   AND o.id > :after
 ORDER BY o.id
 LIMIT :limit
   FOR NO KEY UPDATE OF o, f SKIP LOCKED
""").bindparams(STEPS)
EXPIRE = text("""
UPDATE business.opportunities SET status = 'expired', closed_at = :now WHERE id = ANY(:ids)
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)))
REMIND = text("""
UPDATE business.offers f
   SET reminders = given.reminders, last_reminder_at = :now
  FROM unnest(:ids, :reminders) AS given (id, reminders)
 WHERE f.id = given.id
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("reminders", type_=ARRAY(Integer)))


def count_missed(connection: Connection, which: Mapping[str, Any]) -> int:
    """How many missed opportunities are to have an offer; `which` as for `fetch_missed`."""
    count: int = connection.execute(COUNT_MISSED, which).scalar_one()
    return count


def fetch_missed(
    connection: Connection, after: int | None, limit: int, which: Mapping[str, Any]
) -> Sequence[Row[Any]]:
    """Missed opportunities without an offer, of customers who have no other that is open and want promotions.

    Args:
        which: `now`; missed from `earliest` to `latest`; `customer_id`, or None for everybody's.

    Returns:
        Rows of `id, customer_id, title, value_cents, name, phone, time_zone`.
    """
    return connection.execute(FETCH_MISSED, {**which, "after": after or 0, "limit": limit}).all()


def make_offers(
    connection: Connection, discounts: Mapping[int, int], now: datetime, expires_at: datetime
) -> dict[int, int]:
    """Make offers of these percentages for these opportunities, one a customer. Returns offers by those."""
    values = {
        "ids": list(discounts),
        "discounts": list(discounts.values()),
        "now": now,
        "expires_at": expires_at,
    }
    return {row.opportunity_id: row.id for row in connection.execute(MAKE, values)}


def link_offers(connection: Connection, messages: Mapping[int, int]) -> None:
    """Keep which message (its id) brings which offer."""
    connection.execute(LINK, {"ids": list(messages), "outbound_ids": list(messages.values())})


def count_offered(connection: Connection, which: Mapping[str, Any]) -> int:
    """How many offers are to be closed or reminded of; `which` as for `fetch_offered`."""
    count: int = connection.execute(COUNT_OFFERED, which).scalar_one()
    return count


def fetch_offered(
    connection: Connection, after: int | None, limit: int, which: Mapping[str, Any]
) -> Sequence[Row[Any]]:
    """Opportunities whose offer nobody has accepted, and which has expired or is to be reminded of.

    Args:
        which: `now`; `steps`, in days after the offer; `pause`: the last message was not later than that;
            `customer_id`, or None for everybody's.

    Returns:
        Rows of `id, customer_id, title, offer_id, discount_percent, expires_at, expired, reminders, name,
        phone, time_zone`, where `reminders` counts the one that is due.
    """
    return connection.execute(FETCH_OFFERED, {**which, "after": after or 0, "limit": limit}).all()


def expire(connection: Connection, ids: Sequence[int], now: datetime) -> None:
    """Close these opportunities as expired."""
    connection.execute(EXPIRE, {"ids": list(ids), "now": now})


def remind(connection: Connection, reminders: Mapping[int, int], now: datetime) -> None:
    """Keep how many reminders of each offer have been sent, the last of them now."""
    values = {"ids": list(reminders), "reminders": list(reminders.values()), "now": now}
    connection.execute(REMIND, values)
