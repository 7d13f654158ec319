"""Runs searched for by what they are like, page by page, and the log of one as it grows."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

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

#: The longest span that a search may reach back, in hours.
MAX_HOURS = MAX_DAYS * 24
#: The cursor of a log's beginning.
BEGINNING = "0.0"


#: Runs are counted up to so many.
MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which runs: all that fit a search in words.

    Without `since`, those sent within so many hours. `zone` is that of moments that name none; None: UTC.
    """

    search: str
    hours: float = 24.0
    zone: str | None = None

    def parsed(self) -> Search:
        """What the words mean now.

        Raises:
            BadInput: they are none of a search.
        """
        return parse_search(self.search, utcnow(), None if self.zone is None else ZoneInfo(self.zone))

    def values(self) -> dict[str, Any]:
        """It as JSON. Words that mean a span back from now stay what they are."""
        found = {"search": self.search.strip(), "hours": min(self.hours, MAX_HOURS)}
        return found if self.zone is None else {**found, "zone": self.zone}


@dataclass(frozen=True, slots=True)
class States:
    """How many runs are in each state; where it is `cut`, there may be more.

    Where the time was over before all was looked at, `back_to` is the moment up to which runs were counted.
    """

    counts: Mapping[str, int]
    cut: bool
    back_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Runs that fit, the latest sent first, and the cursor of what follows or None.

    Where the time was over before it was full, `back_to` is the moment up to which was looked; the cursor
    goes on from there.
    """

    runs: tuple[Run, ...]
    following: str | None
    back_to: datetime | None = None


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


def narrowed(q: str, *, queue: str | None = None, state: str | None = None) -> str:
    """The words of a search that is narrowed to a queue and a state.

    Raises:
        BadInput: the words are none of a search, there is no such state, or they name one themselves.
    """
    # Checked as a whole; the words stay as they were written.
    wanted(q, queue=queue, states=() if state is None else (state,))
    more = Search(queues=(storable(queue),) if queue else (), states=(state,) if state else ())
    return f"{more} {q.strip()}".strip()


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
    page = _find(context, search, hours, limit, cursor, None)
    return page.runs, page.following


def look(
    context: Context, wanted: Wanted, *, seconds: float, limit: int = 100, cursor: str | None = None
) -> Page:
    """As much of a page of the runs that fit as about so many seconds are enough for; see `find`.

    Raises:
        BadInput: the words are none of a search, no page has that cursor, or the limit is not 1 to 1000.
    """
    return _find(context, wanted.parsed(), wanted.hours, limit, cursor, seconds)


def states(context: Context, wanted: Wanted, *, seconds: float | None = None) -> States:
    """How many of the runs that fit are in each state, or as many as are counted in about so many seconds.

    Raises:
        BadInput: the words are none of a search.
    """
    criteria = queries.filter_of(wanted.parsed(), wanted.hours, utcnow())
    with context.read() as connection:
        found, back_to = queries.states(connection, criteria, most=MOST_COUNTED, seconds=seconds)
    succeeded = found.get("succeeded", 0)
    cut = back_to is not None or max(succeeded, sum(found.values()) - succeeded) >= MOST_COUNTED
    return States(found, cut, back_to)


def all_of(context: Context, wanted: Wanted, most: int) -> list[Run]:
    """The latest of the runs that fit, no more than so many.

    Raises:
        BadInput: the words are none of a search.
    """
    # The same moments for all pages: a span back from now would move on meanwhile.
    parsed, cursor = wanted.parsed(), None
    found: list[Run] = []
    while len(found) < most:
        page, cursor = find(
            context, parsed, hours=wanted.hours, limit=min(MAX_HISTORY, most - len(found)), cursor=cursor
        )
        found += page
        if cursor is None:
            break
    return found


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


def _find(
    context: Context, search: Search, hours: float, limit: int, cursor: str | None, seconds: float | None
) -> Page:
    check_range("limit", limit, MAX_HISTORY)
    criteria = queries.filter_of(search, min(hours, MAX_HOURS), utcnow())
    before = read_cursor(cursor, UUID)
    with context.read() as connection:
        rows, back_to = queries.find(connection, criteria, before=before, limit=limit + 1, seconds=seconds)
    runs, following = cut_page(
        [as_run(row) for row in rows], limit, lambda run: (run.enqueued_at, run.run_id)
    )
    if following is not None or back_to is None:
        return Page(runs, following)
    # No run that was sent at that very moment comes before the smallest id.
    return Page(runs, f"{back_to.isoformat()}_{UUID(int=0)}", back_to)
