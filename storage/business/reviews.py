"""Reviews: who is to be asked for one, asked again, and which bad one a person should see."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, Integer, Row, bindparam, text

from callboard.storage.business.reach import REACHABLE, undelivered

#: Of several jobs of a customer, only the latest.
COMPLETED = f"""
  FROM business.completed_jobs j
  JOIN business.customers c ON c.id = j.customer_id
 WHERE j.completed_at BETWEEN :earliest AND :latest
   AND {REACHABLE}
   AND (CAST(:customer_id AS bigint) IS NULL OR j.customer_id = :customer_id)
   AND NOT EXISTS (
       SELECT FROM business.review_requests r
        WHERE r.customer_id = j.customer_id AND (r.completed_job_id = j.id OR r.status = 'requested')
       )
   AND NOT EXISTS (
       SELECT FROM business.completed_jobs later
        WHERE later.customer_id = j.customer_id AND later.completed_at <= :latest
          AND (later.completed_at, later.id) > (j.completed_at, j.id)
       )
"""
COUNT_COMPLETED = text(f"SELECT count(*) {COMPLETED}")
FETCH_COMPLETED = text(f"""
SELECT j.id, j.customer_id, j.title, c.name, c.phone, c.time_zone
{COMPLETED}
   AND j.id > :after
 ORDER BY j.id
 LIMIT :limit
   FOR NO KEY UPDATE OF j SKIP LOCKED
""")
REQUEST = text("""
INSERT INTO business.review_requests (completed_job_id, customer_id, requested_at)
SELECT id, customer_id, :now FROM unnest(:ids, :customer_ids) AS given (id, customer_id)
RETURNING id, completed_job_id
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("customer_ids", type_=ARRAY(BigInteger)))
LINK = text("""
UPDATE business.review_requests r
   SET outbound_id = given.outbound_id
  FROM unnest(:ids, :outbound_ids) AS given (id, outbound_id)
 WHERE r.id = given.id
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("outbound_ids", type_=ARRAY(BigInteger)))

#: `reached` is the number of reminders that should have been sent by now.
FOLLOWED = f"""
  FROM business.review_requests r
  JOIN business.completed_jobs j ON j.id = r.completed_job_id
  JOIN business.customers c ON c.id = r.customer_id
 CROSS JOIN LATERAL (
       SELECT count(*) AS reminders
         FROM unnest(:steps) AS s (days)
        WHERE r.requested_at <= :now - s.days * interval '1 day'
       ) reached
 CROSS JOIN LATERAL (
       SELECT CASE WHEN r.rating <= :bad THEN 'escalate'
                   WHEN r.rating IS NOT NULL OR r.status <> 'requested' THEN NULL
                   WHEN r.requested_at <= :expires THEN 'expire'
                   WHEN r.reminders < reached.reminders AND {REACHABLE} AND NOT {undelivered("r.outbound_id")}
                        AND coalesce(r.last_reminder_at, r.requested_at) <= :pause THEN 'remind' END AS step
       ) next
 WHERE r.status IN ('requested', 'reviewed') AND next.step IS NOT NULL
   AND (CAST(:customer_id AS bigint) IS NULL OR r.customer_id = :customer_id)
"""
STEPS = bindparam("steps", type_=ARRAY(Integer))
COUNT_FOLLOWED = text(f"SELECT count(*) {FOLLOWED}").bindparams(STEPS)
FETCH_FOLLOWED = text(f"""
SELECT r.id, r.customer_id, r.rating, r.comment, j.title, next.step, reached.reminders
     , c.name, c.phone, c.time_zone
{FOLLOWED}
   AND r.id > :after
 ORDER BY r.id
 LIMIT :limit
   FOR NO KEY UPDATE OF r SKIP LOCKED
""").bindparams(STEPS)
ADVANCE = text("""
UPDATE business.review_requests r
   SET status = CASE given.step WHEN 'escalate' THEN 'escalated' WHEN 'expire' THEN 'expired'
                     ELSE r.status END
     , escalated_at = CASE given.step WHEN 'escalate' THEN :now ELSE r.escalated_at END
     , reminders = CASE given.step WHEN 'remind' THEN given.reminders ELSE r.reminders END
     , last_reminder_at = CASE given.step WHEN 'remind' THEN :now ELSE r.last_reminder_at END
  FROM unnest(:ids, CAST(:steps AS text[]), :reminders) AS given (id, step, reminders)
 WHERE r.id = given.id
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("reminders", type_=ARRAY(Integer)))


def count_completed(connection: Connection, which: Mapping[str, Any]) -> int:
    """How many completed jobs are to be asked about; `which` as for `fetch_completed`."""
    count: int = connection.execute(COUNT_COMPLETED, which).scalar_one()
    return count


def fetch_completed(
    connection: Connection, after: int | None, limit: int, which: Mapping[str, Any]
) -> Sequence[Row[Any]]:
    """The latest job of each customer who can be reached, was not asked about it and has no open request.

    Args:
        which: `now`; completed from `earliest` to `latest`; `customer_id`, or None for everybody's.

    Returns:
        Rows of `id, customer_id, title, name, phone, time_zone`.
    """
    return connection.execute(FETCH_COMPLETED, {**which, "after": after or 0, "limit": limit}).all()


def request(connection: Connection, customers: Mapping[int, int], now: datetime) -> dict[int, int]:
    """Keep that these jobs' customers are asked (job: customer). Returns the requests' ids, by job."""
    values = {"ids": list(customers), "customer_ids": list(customers.values()), "now": now}
    return {row.completed_job_id: row.id for row in connection.execute(REQUEST, values)}


def link_requests(connection: Connection, messages: Mapping[int, int]) -> None:
    """Keep which message (its id) brings which request."""
    connection.execute(LINK, {"ids": list(messages), "outbound_ids": list(messages.values())})


def count_followed(connection: Connection, which: Mapping[str, Any]) -> int:
    """How many requests are due for their next step; `which` as for `fetch_followed`."""
    count: int = connection.execute(COUNT_FOLLOWED, which).scalar_one()
    return count


def fetch_followed(
    connection: Connection, after: int | None, limit: int, which: Mapping[str, Any]
) -> Sequence[Row[Any]]:
    """Requests that are due for a `step`: `escalate`, `expire` or `remind`.

    Args:
        which: `now`; `bad`, the best rating that is one; `steps`, in days after the request; `pause`: the
            last message was not later than that; `expires`: made by then, a request expires; `customer_id`,
            or None for everybody's.

    Returns:
        Rows of `id, customer_id, rating, comment, title, step, reminders, name, phone, time_zone`, where
        `reminders` counts the one that is due.
    """
    return connection.execute(FETCH_FOLLOWED, {**which, "after": after or 0, "limit": limit}).all()


def advance(connection: Connection, items: Sequence[Row[Any]], now: datetime) -> None:
    """Keep that each of these requests, as fetched, has taken its step."""
    values = {
        "ids": [item.id for item in items],
        "steps": [item.step for item in items],
        "reminders": [item.reminders for item in items],
        "now": now,
    }
    connection.execute(ADVANCE, values)
