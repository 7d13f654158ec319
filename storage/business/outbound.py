"""`"OutboundJob"`: claimed by a run, sent, and marked with what came of it.

What a run has claimed is `running` from a moment that is the same for the whole batch. It is the proof that a
row is still that run's: what was given up meanwhile, and claimed by another, is not marked by the first.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, DateTime, Float, Row, Text, bindparam, text

from callboard.core.limits import storable

IDS = bindparam("ids", type_=ARRAY(BigInteger))
ERRORS = bindparam("errors", type_=ARRAY(Text))
MOMENTS = bindparam("moments", type_=ARRAY(DateTime(timezone=True)))

COUNT = text("""SELECT count(*) FROM business."OutboundJob" WHERE status = 'queued' AND "runAt" <= now()""")
UNCERTAINS = text("""SELECT count(*) FROM business."OutboundJob" WHERE status = 'uncertain'""")
#: What a customer has asked was asked for; anything else needs consent, at the time of sending.
CUSTOMER = """c.name, c.language, c.time_zone
     , CASE WHEN o.kind = 'reply' OR c.id IS NULL THEN NULL
            WHEN c.whatsapp_consent_at IS NULL THEN 'WhatsApp messages'
            WHEN o.marketing AND c.marketing_consent_at IS NULL THEN 'promotions'
       END AS unwanted"""
FIELDS = """
       o.id, o."customerId" AS customer_id, o."createdAt" AS created_at
     , o."to", o.kind, o.payload, o.attempts, o."maxAttempts" AS max_attempts, o."idempotencyKey" AS key
     , o."requestId" AS request_id, o."startedAt" AS started_at
     , o."createdAt" < now() - interval '1 day' AS old"""
CLAIM = f"""
  WITH due AS (
SELECT o.id, {CUSTOMER}
  FROM business."OutboundJob" o
  LEFT JOIN business.customers c ON c.id = o."customerId"
 WHERE o.status = 'queued' AND o."runAt" <= now() AND o.kind {{kinds}}
 ORDER BY o."runAt", o.id
 LIMIT :limit
   FOR UPDATE OF o SKIP LOCKED
     )
UPDATE business."OutboundJob" o
   SET status = 'running', "startedAt" = now(), attempts = attempts + 1
  FROM due
 WHERE o.id = due.id
RETURNING {FIELDS}, due.name, due.language, due.time_zone, due.unwanted
"""
CLAIM_REPLIES = text(CLAIM.format(kinds="= 'reply'"))
CLAIM_OTHERS = text(CLAIM.format(kinds="<> 'reply'"))
LOOK = text(f"""
SELECT {FIELDS}, {CUSTOMER}
  FROM business."OutboundJob" o
  LEFT JOIN business.customers c ON c.id = o."customerId"
 WHERE o.status = 'queued' AND o."runAt" <= now() AND o.id > :after
 ORDER BY o.id
 LIMIT :limit
""")
FORSAKEN = """
SELECT id
  FROM business."OutboundJob"
 WHERE status = 'running'
   AND ("startedAt" IS NULL OR "startedAt" <= now() - make_interval(secs => :lease_s))
"""
ANY_FORSAKEN = text(f"SELECT EXISTS ({FORSAKEN})")
#: A worker that died is no fault of the message: that attempt does not count.
GIVE_BACK = text(f"""
UPDATE business."OutboundJob"
   SET status = 'queued', attempts = greatest(attempts - 1, 0), "startedAt" = NULL
 WHERE id IN ({FORSAKEN} FOR UPDATE SKIP LOCKED)
""")
SET_APART = text(f"""
UPDATE business."OutboundJob"
   SET status = 'uncertain', error = :error
 WHERE id IN ({FORSAKEN} FOR UPDATE SKIP LOCKED)
""")
#: Sent is sent, whoever has the row by now.
DONE = text("""
UPDATE business."OutboundJob" o
   SET status = 'done', "completedAt" = now(), "providerMessageId" = given.said, error = NULL
  FROM unnest(:ids, :said) AS given (id, said)
 WHERE o.id = given.id AND o.status <> 'done'
""").bindparams(IDS, bindparam("said", type_=ARRAY(Text)))
FAILED = text("""
UPDATE business."OutboundJob" o
   SET status = 'failed', "completedAt" = now(), error = given.error
  FROM unnest(:ids, :errors) AS given (id, error)
 WHERE o.id = given.id AND o.status = 'running' AND o."startedAt" = :claimed_at
""").bindparams(IDS, ERRORS)
AGAIN = text("""
UPDATE business."OutboundJob" o
   SET status = 'queued', "runAt" = now() + make_interval(secs => given.delay_s), error = given.error
  FROM unnest(:ids, :errors, :delays) AS given (id, error, delay_s)
 WHERE o.id = given.id AND o.status = 'running' AND o."startedAt" = :claimed_at
""").bindparams(IDS, ERRORS, bindparam("delays", type_=ARRAY(Float)))
UNCERTAIN = text("""
UPDATE business."OutboundJob" o
   SET status = 'uncertain', error = given.error
  FROM unnest(:ids, :errors) AS given (id, error)
 WHERE o.id = given.id AND o.status = 'running' AND o."startedAt" = :claimed_at
""").bindparams(IDS, ERRORS)
PUT_OFF = text("""
UPDATE business."OutboundJob" o
   SET status = 'queued', attempts = greatest(attempts - 1, 0), "startedAt" = NULL, "runAt" = given.run_at
  FROM unnest(:ids, :moments) AS given (id, run_at)
 WHERE o.id = given.id AND o.status = 'running' AND o."startedAt" = :claimed_at
""").bindparams(IDS, MOMENTS)
RELEASE = text("""
UPDATE business."OutboundJob"
   SET status = 'queued', attempts = greatest(attempts - 1, 0), "startedAt" = NULL
     , error = coalesce(:error, error)
     , "runAt" = CASE WHEN :wait_s > 0 THEN now() + make_interval(secs => :wait_s) ELSE "runAt" END
 WHERE id = ANY(:ids) AND status = 'running' AND "startedAt" = :claimed_at
""").bindparams(IDS, bindparam("error", type_=Text), bindparam("wait_s", type_=Float))


#: Consent that was given after the message stays.
WITHDRAW = text("""
UPDATE business.customers c
   SET whatsapp_consent_at = NULL, marketing_consent_at = NULL
  FROM unnest(:ids, :moments) AS given (id, said_at)
 WHERE c.id = given.id AND c.whatsapp_consent_at <= given.said_at
RETURNING c.id
""").bindparams(IDS, MOMENTS)


def count_due(connection: Connection) -> int:
    """How many messages are due."""
    count: int = connection.execute(COUNT).scalar_one()
    return count


def count_uncertain(connection: Connection) -> int:
    """How many messages may have gone out or not."""
    count: int = connection.execute(UNCERTAINS).scalar_one()
    return count


def any_forsaken(connection: Connection, lease_s: float) -> bool:
    """Whether runs that are no more had claimed anything at least so many seconds ago."""
    found: bool = connection.execute(ANY_FORSAKEN, {"lease_s": lease_s}).scalar_one()
    return found


def give_back(connection: Connection, lease_s: float) -> int:
    """Queue again what runs that are no more had claimed at least so many seconds ago. Returns how many."""
    return connection.execute(GIVE_BACK, {"lease_s": lease_s}).rowcount


def set_apart(connection: Connection, lease_s: float, error: str) -> int:
    """Mark the same as uncertain instead: they may have gone out or not. Returns how many."""
    return connection.execute(SET_APART, {"lease_s": lease_s, "error": error}).rowcount


def claim(connection: Connection, limit: int) -> Sequence[Row[Any]]:
    """Messages that are due and nobody else's, `running` from now on: replies first, and the earliest due.

    They have `id, customer_id, created_at, to, kind, payload, attempts` (this one included), `max_attempts,
    key, request_id, started_at`, `old` (queued more than a day ago), the customer's `name, language` and
    `time_zone`, and `unwanted`: what the customer does not consent to, None where nothing is amiss.
    """
    rows = list(connection.execute(CLAIM_REPLIES, {"limit": limit}).all())
    if len(rows) < limit:
        rows += connection.execute(CLAIM_OTHERS, {"limit": limit - len(rows)}).all()
    return sorted(rows, key=lambda row: int(row.id))


def look(connection: Connection, after: int, limit: int) -> Sequence[Row[Any]]:
    """Messages that are due, in the order of their ids, with the same columns, left as they are."""
    return connection.execute(LOOK, {"after": after, "limit": limit}).all()


def mark_done(connection: Connection, said: Mapping[int, str | None]) -> None:
    """Mark messages as sent, with the provider's ids of them, in one statement.

    Raises IntegrityError: the provider has called two messages by one name.
    """
    if said:
        connection.execute(DONE, {"ids": list(said), "said": list(said.values())})


def mark_failed(connection: Connection, claimed_at: datetime, errors: Mapping[int, str]) -> None:
    """Mark messages as failed for good."""
    if errors:
        connection.execute(
            FAILED, {"ids": list(errors), "errors": _texts(errors.values()), "claimed_at": claimed_at}
        )


def mark_uncertain(connection: Connection, claimed_at: datetime, errors: Mapping[int, str]) -> None:
    """Mark messages that may have gone out or not: they are sent again only if somebody says so."""
    if errors:
        values = {"ids": list(errors), "errors": _texts(errors.values()), "claimed_at": claimed_at}
        connection.execute(UNCERTAIN, values)


def queue_again(connection: Connection, claimed_at: datetime, later: Mapping[int, tuple[str, float]]) -> None:
    """Queue messages again: the error of each, and in how many seconds it is due."""
    if later:
        connection.execute(
            AGAIN,
            {
                "ids": list(later),
                "errors": _texts(error for error, _ in later.values()),
                "delays": [delay_s for _, delay_s in later.values()],
                "claimed_at": claimed_at,
            },
        )


def release(
    connection: Connection,
    claimed_at: datetime,
    ids: Sequence[int],
    error: str | None = None,
    wait_s: float = 0.0,
) -> None:
    """Queue messages again as if they had not been claimed; `error` says why, if there is a reason.

    They are due as they were or, where the service wants to be left alone, in so many seconds.
    """
    if ids:
        reason = None if error is None else storable(error)
        values = {"ids": list(ids), "claimed_at": claimed_at, "error": reason, "wait_s": wait_s}
        connection.execute(RELEASE, values)


def put_off(connection: Connection, claimed_at: datetime, moments: Mapping[int, datetime]) -> None:
    """Queue messages again as if they had not been claimed, each for its moment."""
    if moments:
        values = {"ids": list(moments), "moments": list(moments.values()), "claimed_at": claimed_at}
        connection.execute(PUT_OFF, values)


def withdraw_consent(connection: Connection, stops: Mapping[int, datetime]) -> set[int]:
    """Note that these customers want no more messages, each since the moment.

    Returns those who had consented until then.
    """
    if not stops:
        return set()
    values = {"ids": list(stops), "moments": list(stops.values())}
    return set(connection.scalars(WITHDRAW, values))


def _texts(errors: Any) -> list[str]:
    return [storable(error) for error in errors]
