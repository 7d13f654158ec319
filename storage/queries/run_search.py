"""Runs that fit a filter, and the log lines of one of them, page by page."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg.errors import QueryCanceled
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from callboard.core.clock import utcnow
from callboard.core.search import Search, parse_search
from callboard.storage.queries import Row
from callboard.storage.queries.limited import no_longer_than
from callboard.storage.queries.runs import COLUMNS

#: An argument by its name, wherever the caller put it: among the named ones, or at its place. The places are
#: looked up once for all jobs.
_ARGUMENT = """(coalesce(r.kwargs -> :name_{n}
        , r.args -> cast((SELECT jsonb_object_agg(j.name, p.place - 1)
                            FROM callboard.jobs j
                               , jsonb_array_elements(j.signature) WITH ORDINALITY p (said, place)
                           WHERE p.said ->> 'name' = :name_{n}) ->> r.job AS integer)
        , CASE WHEN :name_{n} ~ '^[0-9]{{1,4}}$' THEN r.args -> cast(:name_{n} AS integer) END))
       #> cast(:path_{n} AS text[]) @> ANY (cast(cast(:values_{n} AS text[]) AS jsonb[]))"""

#: The states of the runs that an action on many may deal with, and those that it does deal with where the
#: search names none: what was cancelled or skipped is rarely meant to be done after all.
ALLOWED: Final = {
    "retry": ("failed", "dead", "pending", "cancelled", "skipped"),
    "cancel": ("pending", "processing"),
}
MEANT: Final = {"retry": ("failed", "dead", "pending"), "cancel": ("pending", "processing")}

#: Those of them that a retry can do something for.
_RETRIABLE = """(r.state <> 'pending' OR r.next_retry_at IS NOT NULL)
   AND NOT EXISTS (SELECT FROM callboard.runs n WHERE n.retry_of = r.run_id)"""

#: The first step back that a search takes, and how many times longer than the one before a step may be. Not
#: more: how long a step takes is foreseen from the one before.
FIRST_STEP: Final = timedelta(minutes=1)
GROWTH: Final = 8.0
#: A step that would have to be shorter than this part of the one before is not worth being taken.
SHORTEST: Final = 0.25

LOG_LINES = text("""
SELECT attempt, seq, at, level, message
  FROM callboard.log_lines
 WHERE run_id = :run_id AND enqueued_at = :enqueued_at
   AND (attempt, seq) > (:attempt, :seq)
 ORDER BY attempt, seq
 LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class Filter:
    """What runs must be like: all that is given.

    `arguments` are a name, the way to a part of it, and JSON texts one of which it must be or contain.
    """

    since: datetime
    until: datetime | None = None
    states: Sequence[str] = ()
    jobs: Sequence[str] = ()
    job_parts: Sequence[str] = ()
    queues: Sequence[str] = ()
    triggers: Sequence[str] = ()
    errors: Sequence[str] = ()
    error_types: Sequence[str] = ()
    arguments: Sequence[tuple[str, Sequence[str], Sequence[str]]] = ()


class Found(NamedTuple):
    """Rows of a search. Where its time was over before all was looked at, `back_to` is how far it came."""

    rows: list[Row]
    back_to: datetime | None


class Counted(NamedTuple):
    """How many runs are in each state; `back_to` as in `Found`."""

    counts: dict[str, int]
    back_to: datetime | None


def filter_of(search: Search, hours: float, now: datetime) -> Filter:
    """The filter of a search; without a beginning, of so many hours before its end, or before now."""
    return Filter(
        since=search.since or (search.until or now) - timedelta(hours=hours),
        until=search.until,
        states=search.states,
        jobs=search.jobs,
        job_parts=search.job_parts,
        queues=search.queues,
        triggers=search.triggers,
        errors=search.errors,
        error_types=search.error_types,
        arguments=[(each.path[0], each.path[1:], each.values) for each in search.arguments],
    )


def filter_of_action(asked: Mapping[str, Any], at: datetime) -> Filter:
    """The filter of an action on many runs: what its words meant when it was asked for, and nothing later.

    Args:
        asked: `search` in words, `hours` for one without a beginning, and maybe the `zone` of its moments.
        at: when it was asked for.
    """
    zone = ZoneInfo(asked["zone"]) if "zone" in asked else None
    search = parse_search(asked["search"], at, zone)
    found = filter_of(search, asked["hours"], at)
    return replace(found, until=min(found.until or at, at))


def states(connection: Connection, wanted: Filter, *, most: int, seconds: float | None = None) -> Counted:
    """How many runs of a filter are in each state, the latest sent first.

    Of those that succeeded about `most` are counted, and of the others together about `most`. With `seconds`
    no more than about so long is spent.
    """
    counts: Counter[str] = Counter()

    def look(where: str, values: Mapping[str, Any]) -> bool:
        fitting = f"FROM callboard.runs r WHERE {where}"
        others = sum(counts.values()) - counts["succeeded"]
        left = {"others": max(most - others, 0), "succeeded": max(most - counts["succeeded"], 0)}
        statement = f"""
            SELECT state, count(*) AS runs
              FROM ((SELECT state {fitting} AND r.state <> 'succeeded' LIMIT :others)
                     UNION ALL
                    (SELECT state {fitting} AND r.state = 'succeeded' LIMIT :succeeded)) AS found
             GROUP BY state"""
        for row in connection.execute(text(statement), {**values, **left}).all():
            counts[row.state] += row.runs
        others = sum(counts.values()) - counts["succeeded"]
        return others >= most and counts["succeeded"] >= most

    back_to = _look_back(connection, wanted, wanted.until or utcnow(), seconds, look)
    return Counted(dict(counts), back_to)


def count(connection: Connection, what: str, wanted: Filter) -> int:
    """How many runs an action on those of a filter deals with."""
    where, values = _meant(what, wanted)
    statement = f"SELECT count(*) FROM callboard.runs r WHERE {' AND '.join(where)}"
    found: int = connection.execute(text(statement), values).scalar_one()
    return found


def lock_next(
    connection: Connection,
    what: str,
    wanted: Filter,
    *,
    after: tuple[datetime, UUID] | None,
    besides: UUID | None,
    limit: int,
) -> Sequence[Row]:
    """Lock the next runs that an action deals with: run_id and enqueued_at, the earliest sent first.

    `besides` is the run that works the action off.
    """
    where, values = _meant(what, wanted)
    where.append("r.run_id IS DISTINCT FROM cast(:besides AS uuid)")
    values["besides"] = besides
    if after is not None:
        where.append("(r.enqueued_at, r.run_id) > (:after_at, cast(:after_id AS uuid))")
        values |= {"since": max(wanted.since, after[0]), "after_at": after[0], "after_id": after[1]}
    statement = f"""
        SELECT r.run_id, r.enqueued_at
          FROM callboard.runs r
         WHERE {" AND ".join(where)}
         ORDER BY r.enqueued_at, r.run_id
         LIMIT :limit
           FOR UPDATE OF r"""
    return connection.execute(text(statement), {**values, "limit": limit}).mappings().all()


def find(
    connection: Connection,
    wanted: Filter,
    *,
    before: tuple[datetime, UUID] | None,
    limit: int,
    seconds: float | None = None,
) -> Found:
    """One row a run, the latest sent first; `before` is the last of the page before.

    With `seconds` no more than about so long is spent.
    """
    more: dict[str, Any] = {}
    place = "true"
    if before is not None:
        place = "(r.enqueued_at, r.run_id) < (:before_at, cast(:before_id AS uuid))"
        more = {"before_at": before[0], "before_id": before[1]}
    found: list[Row] = []

    def look(where: str, values: Mapping[str, Any]) -> bool:
        statement = f"""
            SELECT {COLUMNS}
              FROM callboard.runs r
             WHERE {where} AND {place}
             ORDER BY enqueued_at DESC, run_id DESC
             LIMIT :limit"""
        left = {**values, **more, "limit": limit - len(found)}
        found.extend(connection.execute(text(statement), left).mappings().all())
        return len(found) == limit

    end = before[0] if before is not None else wanted.until or utcnow()
    back_to = _look_back(connection, wanted, end, seconds, look)
    return Found(found, back_to)


def _look_back(
    connection: Connection,
    wanted: Filter,
    end: datetime,
    seconds: float | None,
    look: Callable[[str, Mapping[str, Any]], bool],
) -> datetime | None:
    """Look through what was sent before `end`, step by step, each mostly longer than the one before.

    Mostly the first steps are enough. So an index of blocks will do, which costs the recorder next to
    nothing.

    Args:
        end: from there on back; whatever is sent later counts to the first step.
        seconds: how long it may take. The first step is taken whatever it takes; a later one that takes too
            long is broken off, and counts for nothing.
        look: takes a step, given conditions and their values; returns whether it is enough.

    Returns:
        Where it has come to, if the time was over before all was looked at.
    """
    where, values = _conditions(wanted)
    condition = " AND ".join([*where, "(cast(:below AS timestamptz) IS NULL OR r.enqueued_at < :below)"])
    begun, length = time.monotonic(), FIRST_STEP
    below: datetime | None = None
    while True:
        since = max(wanted.since, (below or end) - length)
        left = None if seconds is None else begun + seconds - time.monotonic()
        step_begun = time.monotonic()
        try:
            with no_longer_than(connection, None if below is None else left):
                enough = look(condition, {**values, "since": since, "below": below})
        except OperationalError as error:
            if not isinstance(error.orig, QueryCanceled) or left is None or below is None:
                raise
            return below
        if enough or since <= wanted.since:
            return None
        below, growth = since, GROWTH
        if seconds is not None:
            now = time.monotonic()
            growth = min(GROWTH, 0.7 * (begun + seconds - now) / max(now - step_begun, 0.001))
            if growth < SHORTEST:
                return below
        length *= growth


def log_lines(
    connection: Connection, run_id: UUID, enqueued_at: datetime, *, after: tuple[int, int], limit: int
) -> Sequence[Row]:
    """One row a line that a run logged after that one (attempt, number), in order."""
    values = {
        "run_id": run_id,
        "enqueued_at": enqueued_at,
        "attempt": after[0],
        "seq": after[1],
        "limit": limit,
    }
    return connection.execute(LOG_LINES, values).mappings().all()


def _meant(what: str, wanted: Filter) -> tuple[list[str], dict[str, Any]]:
    states = tuple(state for state in wanted.states or MEANT[what] if state in ALLOWED[what])
    where, values = _conditions(replace(wanted, states=states))
    if not states:
        where.append("false")
    if what == "retry":
        where.append(_RETRIABLE)
    return where, values


def _conditions(wanted: Filter) -> tuple[list[str], dict[str, Any]]:
    where = ["r.enqueued_at >= :since"]
    given: dict[str, Any] = {"since": wanted.since}
    if wanted.until is not None:
        where.append("r.enqueued_at <= :until")
        given["until"] = wanted.until
    for column, names in (
        ("state", wanted.states),
        ("job", wanted.jobs),
        ("queue", wanted.queues),
        ("trigger", wanted.triggers),
        ("error_type", wanted.error_types),
    ):
        if names:
            where.append(f"r.{column} = ANY (cast(:{column} AS text[]))")
            given[column] = list(names)
    for n, part in enumerate(wanted.job_parts):
        where.append(f"strpos(lower(r.job), lower(:job_part_{n})) > 0")
        given[f"job_part_{n}"] = part
    if (wanted.errors or wanted.error_types) and "succeeded" not in wanted.states:
        # What succeeded has no error; there is an index of all others.
        where.append("r.state <> 'succeeded'")
    for n, part in enumerate(wanted.errors):
        where.append(
            "coalesce(r.error_type, r.error, r.reason) IS NOT NULL"
            f" AND strpos(lower(concat_ws(' ', r.error_type, r.error, r.reason)), lower(:error_{n})) > 0"
        )
        given[f"error_{n}"] = part
    for n, (name, path, fitting) in enumerate(wanted.arguments):
        where.append(_ARGUMENT.format(n=n))
        given |= {f"name_{n}": name, f"path_{n}": list(path), f"values_{n}": list(fitting)}
    return where, given
