"""Circuit breakers: how each stands, from Redis, and what it has done, from PostgreSQL."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast
from uuid import UUID

from callboard.control.context import Context, reaching_redis
from callboard.core.cursors import cut_page, read_cursor
from callboard.core.limits import storable
from callboard.storage.queries import breakers as queries

State = Literal["closed", "open", "half_open"]


@dataclass(frozen=True, slots=True)
class Breaker:
    """A breaker that has ever counted a failure.

    `failures` counts those that followed each other, while it is closed. `cause` is the error that opened it,
    at `opened_at`; at `until` a probe may try. `waiting` runs are parked until it closes.
    """

    name: str
    state: State
    failures: int
    cause: str | None
    opened_at: datetime | None
    until: datetime | None
    waiting: int


@dataclass(frozen=True, slots=True)
class BreakerChange:
    """One change of a breaker's state, and the run that caused it, if it was one."""

    id: int
    breaker: str
    at: datetime
    from_state: str
    to_state: str
    cause: str | None
    job: str | None
    run_id: UUID | None


def breakers(context: Context) -> tuple[Breaker, ...]:
    """All breakers that have ever counted a failure: those that are not closed first, then by name.

    Raises:
        Unavailable: Redis does not answer.
    """
    keys = context.keys
    with reaching_redis():
        names = sorted(each.decode() for each in cast(Any, context.redis.smembers(keys.breakers)))
        with context.redis.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.hgetall(keys.breaker(name))
                pipeline.llen(keys.lot(f"breaker|{name}"))
            answers = pipeline.execute()
    found = [_breaker(name, answers[2 * i], answers[2 * i + 1]) for i, name in enumerate(names)]
    return tuple(sorted(found, key=lambda breaker: (breaker.state == "closed", breaker.name)))


def changes(
    context: Context, *, breaker: str | None = None, limit: int = 50, cursor: str | None = None
) -> tuple[tuple[BreakerChange, ...], str | None]:
    """A page of changes of one breaker, or of all, the latest first, and the cursor of the next one.

    Raises:
        BadInput: no page has that cursor.
        Unavailable: PostgreSQL does not answer.
    """
    after = read_cursor(cursor, int)
    with context.read() as connection:
        named = None if breaker is None else storable(breaker)
        rows = queries.changes(connection, breaker=named, limit=limit + 1, after=after)
    return cut_page([BreakerChange(**row) for row in rows], limit, lambda change: (change.at, change.id))


def _breaker(name: str, fields: dict[bytes, bytes], waiting: int) -> Breaker:
    said = {field.decode(): value.decode("utf-8", "replace") for field, value in fields.items()}
    state = cast(State, said.get("state", "closed"))
    return Breaker(
        name=name,
        state=state,
        failures=int(said.get("failures") or 0),
        cause=said.get("cause") or None,
        opened_at=_moment(said.get("opened_at")),
        until=_moment(said.get("until")) if state == "open" else None,
        waiting=waiting,
    )


def _moment(at_ms: str | None) -> datetime | None:
    return datetime.fromtimestamp(float(at_ms) / 1000, UTC) if at_ms else None
