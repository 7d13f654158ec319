"""Requeues dead letters, and drops them.

A run that has ended stays as it is: what is requeued is a new run of the same message, whose id follows from
the old one's and whose option `retry_of` names it. In one transaction the run ceases to have a dead letter
and the new one enters the outbox; then the letter is removed from Redis. So however often it is tried, and
wherever that is broken off, a letter becomes one run.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID, uuid5

import orjson
from redis import Redis
from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from callboard.core.keys import Keys
from callboard.storage import bulk
from callboard.storage.bulk import Dealt, Refused
from callboard.storage.queries import Row
from callboard.storage.queries.letters import MATCH, NO_FILTER

_REQUEUED = UUID("5f0f9a53-4f0b-4f8e-9d0c-0c6f6ad5f7b1")

#: Options of a message that belong to its last delivery, or to the slot that it was sent for.
_SPENT = frozenset(
    {
        "redis_message_id", "eta", "ready_at", "retries", "begun", "traceback", "requeue_timestamp",
        "schedule_id", "due_at", "trigger", "requested_by", "retry_of", "idempotency_key",
    }
)  # fmt: skip

_LETTER = "r.run_id, r.enqueued_at, r.job, r.queue, r.dead_letter, r.error_type, j.declared"

_NEXT = text(f"""
SELECT {_LETTER}
  FROM callboard.runs r
  LEFT JOIN callboard.jobs j ON j.name = r.job
 WHERE {MATCH}
   AND r.enqueued_at <= :created_at
   AND (r.enqueued_at, r.run_id) > (coalesce(:cursor_at, '-infinity'::timestamptz)
       , coalesce(:cursor_id, '00000000-0000-0000-0000-000000000000'::uuid))
 ORDER BY r.enqueued_at, r.run_id
 LIMIT :limit
   FOR UPDATE OF r
""")

_THESE = text(f"""
SELECT {_LETTER}
  FROM callboard.runs r
  LEFT JOIN callboard.jobs j ON j.name = r.job
 WHERE r.run_id = ANY(cast(:run_ids AS uuid[])) AND r.dead_letter IS NOT NULL
 ORDER BY r.enqueued_at, r.run_id
   FOR UPDATE OF r
""")

_TAKE = text("""
UPDATE callboard.runs r
   SET dead_letter = NULL
  FROM unnest(cast(:run_ids AS uuid[]), cast(:moments AS timestamptz[])) AS t (run_id, enqueued_at)
 WHERE r.run_id = t.run_id AND r.enqueued_at = t.enqueued_at
""")

_SEND = text("""
WITH new AS (
     SELECT (m ->> 'message_id')::uuid AS run_id, m ->> 'actor_name' AS job, m ->> 'queue_name' AS queue, m
          , timestamptz 'epoch' + (m ->> 'message_timestamp')::bigint * interval '1 millisecond' AS at
       FROM jsonb_array_elements(:messages) AS m
   ), noted AS (
     INSERT INTO callboard.runs (run_id, enqueued_at, job, queue, state, rank, attempt, max_attempts, trigger
          , ready_at, args, kwargs, requested_by, time_limit_ms, retry_of)
     SELECT n.run_id, n.at, n.job, n.queue, 'pending', 10, 1, j.max_attempts, 'manual', n.at, n.m -> 'args'
          , n.m -> 'kwargs', n.m -> 'options' ->> 'requested_by', j.time_limit_ms
          , (n.m -> 'options' ->> 'retry_of')::uuid
       FROM new n
       JOIN callboard.jobs j ON j.name = n.job
         ON CONFLICT DO NOTHING
   )
INSERT INTO callboard.outbox (run_id, job_name, queue, message)
SELECT run_id, job, queue, m FROM new
    ON CONFLICT (run_id) DO NOTHING
""").bindparams(bindparam("messages", type_=JSONB()))

_NOW = text("SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint")

_EXPIRE = text("""
WITH old AS (
     SELECT run_id, enqueued_at FROM callboard.runs
      WHERE dead_letter IS NOT NULL AND finished_at < now() - :days * interval '24 hours'
      ORDER BY enqueued_at, run_id
      LIMIT :limit
        FOR UPDATE SKIP LOCKED
   )
UPDATE callboard.runs r
   SET dead_letter = NULL
  FROM old
 WHERE r.run_id = old.run_id AND r.enqueued_at = old.enqueued_at
""")

_QUEUES = text("SELECT DISTINCT queue FROM callboard.jobs UNION SELECT 'default' ORDER BY 1")


def requeued_id(run_id: UUID) -> UUID:
    """The id of the run that a dead letter's run becomes: the same whenever it is asked for."""
    return uuid5(_REQUEUED, f"{run_id}:1")


def take(connection: Connection, run_ids: Sequence[UUID]) -> list[Row]:
    """Lock and return the letters of these runs; those that have none any more are left out."""
    return list(connection.execute(_THESE, {"run_ids": list(run_ids)}).mappings())


def deal(
    connection: Connection, client: Redis, keys: Keys, what: str, letters: Sequence[Row], *, by: str
) -> Dealt:
    """Requeue or drop locked letters, in the caller's transaction; `remove` them after it."""
    failed: list[Refused] = []
    going = list(letters)
    if what == "requeue":
        messages, failed = _messages(connection, client, keys, letters, by)
        refused = {one.run_id for one in failed}
        going = [row for row in letters if row["run_id"] not in refused]
        put(connection, messages)
    if going:
        ids, moments = ([row[name] for row in going] for name in ("run_id", "enqueued_at"))
        connection.execute(_TAKE, {"run_ids": ids, "moments": moments})
    done = [row["run_id"] for row in going]
    return Dealt(done, failed, [[row["queue"], row["dead_letter"]] for row in going])


def work_off(connection: Connection, client: Redis, keys: Keys, action_id: UUID, limit: int) -> bulk.Step:
    """Deal with the next letters of an action, in the caller's transaction; then `remove` those of the step.

    Raises:
        LookupError: there is no such action.
    """

    def deal_next(action: Row) -> bulk.Batch | None:
        values = {**NO_FILTER, **action["filter"], "limit": limit}
        values |= {name: action[name] for name in ("created_at", "cursor_at", "cursor_id")}
        letters = connection.execute(_NEXT, values).mappings().all()
        if not letters:
            return None
        dealt = deal(connection, client, keys, action["what"], letters, by=action["requested_by"])
        return bulk.Batch(dealt, (letters[-1]["enqueued_at"], letters[-1]["run_id"]))

    return bulk.work_off(connection, action_id, deal_next, partial(remove, client, keys))


def put(connection: Connection, messages: Sequence[Mapping[str, Any]]) -> None:
    """Note messages as pending runs and put them into the outbox; those that are there already stay."""
    if messages:
        connection.execute(_SEND, {"messages": list(messages)})


def now_ms(connection: Connection) -> int:
    """The database's clock, in ms since 1970."""
    found: int = connection.execute(_NOW).scalar_one()
    return found


def remove(client: Redis, keys: Keys, letters: Sequence[Sequence[str]]) -> None:
    """Remove letters, [queue, id in Redis] each, from Redis; those that are gone already are no matter."""
    by_queue: dict[str, list[str]] = {}
    for queue, letter in letters:
        by_queue.setdefault(queue, []).append(letter)
    with client.pipeline(transaction=True) as pipeline:
        for queue, ids in by_queue.items():
            pipeline.zrem(keys.dead(queue), *ids)
            pipeline.hdel(keys.dead_messages(queue), *ids)
        pipeline.execute()


def expire(connection: Connection, days: int, limit: int) -> int:
    """Give up to `limit` dead letters up that are older than so many days; returns how many. See `prune`."""
    return connection.execute(_EXPIRE, {"days": days, "limit": limit}).rowcount


def queues(connection: Connection) -> list[str]:
    """The queues that may have dead letters."""
    return list(connection.execute(_QUEUES).scalars())


def prune(client: Redis, keys: Keys, queue: str, days: int, limit: int) -> int:
    """Remove up to `limit` letters of a queue, older than so many days by Redis's clock, from Redis."""
    seconds, _ = client.time()
    oldest = (int(seconds) - days * 86_400) * 1000
    ids: Any = client.zrangebyscore(keys.dead(queue), "-inf", f"({oldest}", start=0, num=limit)
    if ids:
        remove(client, keys, [[queue, each.decode()] for each in ids])
    return len(ids)


def _messages(
    connection: Connection, client: Redis, keys: Keys, letters: Sequence[Row], by: str
) -> tuple[list[dict[str, Any]], list[Refused]]:
    now = now_ms(connection)
    payloads = _payloads(client, keys, letters)
    messages, failed = [], []
    for row in letters:
        run_id: UUID = row["run_id"]
        payload = payloads.get((row["queue"], row["dead_letter"]))
        if not row["declared"]:
            failed.append(Refused(run_id, f"no running code declares the job {row['job']}", "unknown"))
        elif payload is None:
            failed.append(Refused(run_id, "its message is no longer in Redis"))
        else:
            try:
                messages.append(_message(run_id, payload, now, by))
            except (ValueError, TypeError, KeyError, AttributeError):
                failed.append(Refused(run_id, "its message cannot be decoded"))
    return messages, failed


def _payloads(client: Redis, keys: Keys, letters: Sequence[Row]) -> dict[tuple[str, str], bytes | None]:
    by_queue: dict[str, list[str]] = {}
    for row in letters:
        by_queue.setdefault(row["queue"], []).append(row["dead_letter"])
    found: dict[tuple[str, str], bytes | None] = {}
    for queue, ids in by_queue.items():
        values: Any = client.hmget(keys.dead_messages(queue), ids)
        found |= {(queue, letter): value for letter, value in zip(ids, values, strict=True)}
    return found


def _message(run_id: UUID, payload: bytes, now: int, by: str) -> dict[str, Any]:
    message: Mapping[str, Any] = orjson.loads(payload)
    options = {name: value for name, value in message["options"].items() if name not in _SPENT}
    return {
        "queue_name": message["queue_name"].removesuffix(".DQ"),
        "actor_name": message["actor_name"],
        "args": list(message["args"]),
        "kwargs": dict(message["kwargs"]),
        "options": {**options, "trigger": "manual", "requested_by": by, "retry_of": str(run_id)},
        "message_id": str(requeued_id(run_id)),
        "message_timestamp": now,
    }
