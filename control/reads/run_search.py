"""Runs searched for by what they are like, page by page, and the log of one as it grows."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from callboard.control.context import Context
from callboard.control.reads.runs import MAX_DAYS, MAX_HISTORY, LogLine, Run, as_run, as_run_id, check_range
from callboard.core.clock import utcnow
from callboard.core.cursors import cut_page, read_cursor
from callboard.core.errors import BadInput, NotFound
from callboard.core.limits import storable
from callboard.core.moments import sensible
from callboard.core.search import Search, argument, check_states, check_triggers, parse_search
from callboard.storage.queries import run_search as queries
from callboard.storage.queries import runs as run_queries

#: The cursor of a log's beginning.
BEGINNING = "0.0"


@dataclass(frozen=True, slots=True)
class LogPage:
    """Lines of a run's log; `after` is the cursor of what comes next, and `state` that of the run.

    Where the run has `ended` and there is no `more`, nothing comes any more.
    """

    lines: tuple[LogLine, ...]
    after: str
    more: bool
    ended: bool
    state: str


def wanted(
    q: str = "",
    *,
    states: Sequence[str] = (),
    job: str | None = None,
    queue: str | None = None,
    triggers: Sequence[str] = (),
    text: str | None = None,
    arguments: Mapping[str, Any] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Search:
    """A search from words and from filters given one by one.

    Raises:
        BadInput: the words are none of a search, a filter has no such value, or one is given in both ways.
    """
    search = parse_search(q, utcnow())
    given: dict[str, Any] = {
        "states": check_states(tuple(states)),
        "jobs": (storable(job),) if job else (),
        "queues": (storable(queue),) if queue else (),
        "triggers": check_triggers(tuple(triggers)),
        "errors": (storable(text),) if text else (),
        "arguments": tuple(argument((storable(name),), value) for name, value in (arguments or {}).items()),
        "since": None if since is None else sensible(since),
        "until": None if until is None else sensible(until),
    }
    for name, value in given.items():
        if value and getattr(search, name):
            word = {"errors": "error", "arguments": "args"}.get(name, name.removesuffix("s"))
            raise BadInput(f"The filter {word} is given both in the words and by itself; give it once.")
    return replace(search, **{name: value for name, value in given.items() if value})


def find(
    context: Context, search: Search, *, hours: float = 24.0, limit: int = 100, cursor: str | None = None
) -> tuple[tuple[Run, ...], str | None]:
    """The runs that fit, the latest sent first, and the cursor of the next page or None.

    Without a beginning, those of so many hours before the end, or before now. A run that is sent while pages
    are read comes on none of those that follow. Runs that code sent straight to Redis are found once a worker
    has begun them.

    Raises:
        BadInput: no page has that cursor, or the limit is not 1 to 1000.
    """
    check_range("limit", limit, MAX_HISTORY)
    span = timedelta(hours=min(hours, MAX_DAYS * 24))
    criteria = queries.Filter(
        since=search.since or (search.until or utcnow()) - span,
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
    before = read_cursor(cursor, UUID)
    with context.read() as connection:
        rows = queries.find(connection, criteria, before=before, limit=limit + 1)
    return cut_page([as_run(row) for row in rows], limit, lambda run: (run.enqueued_at, run.run_id))


def log(
    context: Context, run_id: UUID | str, *, after: str | None = None, limit: int = 1_000
) -> tuple[str, LogPage]:
    """A run's job, and the lines of its log that come after a cursor, which is the way to follow it.

    Raises:
        NotFound: no run has that id.
        BadInput: the id is no UUID, the cursor none, or the limit not 1 to 1000.
    """
    check_range("limit", limit, MAX_HISTORY)
    key = as_run_id(run_id)
    cursor = after or BEGINNING
    match = re.fullmatch(r"(\d{1,9})\.(\d{1,9})", cursor, re.ASCII)
    if match is None:
        raise BadInput(f"The log has no place {cursor[:60]!r}; pass on `after` as it came.")
    with context.read() as connection:
        row = run_queries.run(connection, key)
        if row is None:
            raise NotFound(f"There is no run {key}; it may be older than what is kept.")
        rows = queries.log_lines(
            connection,
            key,
            row["enqueued_at"],
            after=(int(match[1]), int(match[2])),
            limit=limit + 1,
        )
    lines = tuple(LogLine(**each) for each in rows[:limit])
    following = f"{lines[-1].attempt}.{lines[-1].seq}" if lines else cursor
    return row["job"], LogPage(lines, following, len(rows) > limit, as_run(row).ended, row["state"])
