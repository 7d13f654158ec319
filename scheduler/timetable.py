"""What is due next: the schedules in memory, in the order of their next slots."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from callboard.core.cron import Cron, cron
from callboard.core.errors import BadSchedule
from callboard.core.logging import get_logger
from callboard.core.monitors import monitor
from callboard.scheduler.misfire import Policy
from callboard.storage.slots import ScheduleRow

log = get_logger(__name__)


@dataclass(slots=True, eq=False)
class Entry:
    """One schedule, as Periodiq's scheduler sees an actor: a name, a queue, `options["periodic"]`."""

    row: ScheduleRow
    #: None where there is a `problem`.
    periodic: Cron | None
    #: Everything up to here is decided.
    base: datetime
    #: The first slot after that; None if there is none.
    due_at: datetime | None
    #: Not to be proposed again before this, since somebody else had hold of it.
    held_until: datetime | None = None
    #: How often in a row it could not be claimed.
    refusals: int = 0
    #: Whether it could not be claimed, and has not been looked up since.
    doubtful: bool = False
    #: Why it cannot be scheduled, if it cannot.
    problem: str | None = None
    #: What Sentry is to know of it, where it is told of runs (`core.monitors`).
    monitor: dict[str, str] | None = None
    options: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.options = {"periodic": self.periodic}

    def set_aside(self, problem: str) -> None:
        """Look at it no more until it is changed."""
        self.periodic, self.due_at, self.problem = None, None, problem
        log.error("A schedule is set aside.", action="schedule_set_aside", **_about(self.row), error=problem)

    @property
    def id(self) -> int:
        """The schedule's id."""
        return self.row.id

    @property
    def actor_name(self) -> str:
        """The name of the job."""
        return self.row.job_name

    @property
    def queue_name(self) -> str:
        """The queue that its messages go to."""
        return self.row.queue

    @property
    def policy(self) -> Policy:
        """Its way with slots that nobody claimed in time."""
        return Policy(self.row.misfire, self.row.misfire_limit, self.row.grace_ms)

    @property
    def wake_at(self) -> datetime | None:
        """When it is to be looked at next."""
        if self.due_at is None or self.held_until is None:
            return self.due_at
        return max(self.due_at, self.held_until)


class Timetable:
    """All schedules, ordered by when each is to be looked at next."""

    def __init__(self) -> None:
        #: Whether Sentry is told of runs.
        self.monitored = False
        self._entries: dict[int, Entry] = {}
        #: (when to look, a tie-breaker, the entry); an item is void once its entry has moved on.
        self._heap: list[tuple[datetime, int, Entry]] = []
        self._ties = count()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def entries(self) -> list[Entry]:
        """All schedules."""
        return list(self._entries.values())

    @property
    def unreadable(self) -> list[Entry]:
        """The schedules that make no sense, each with its `problem`."""
        return [entry for entry in self._entries.values() if entry.problem is not None]

    def replace(self, rows: Iterable[ScheduleRow]) -> None:
        """Take these for all schedules that there are."""
        before, self._entries = self._entries, {}
        for row in rows:
            self._entries[row.id] = self._merge(before.get(row.id), row)
        self._heap = []
        for entry in self._entries.values():
            self._push(entry)

    def refresh(self, ids: Sequence[int], rows: Iterable[ScheduleRow]) -> None:
        """Take these for the schedules of those ids; what is not among them is gone."""
        found = {row.id: row for row in rows}
        for schedule_id in ids:
            before = self._entries.pop(schedule_id, None)
            row = found.get(schedule_id)
            if row is not None:
                self._entries[schedule_id] = self._merge(before, row)
                self._push(self._entries[schedule_id])

    def next_wake(self) -> datetime | None:
        """When the next schedule is to be looked at."""
        while self._heap and not self._valid(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def next_instant(self) -> datetime | None:
        """The next slot, schedules that are held left aside."""
        passed: list[tuple[datetime, int, Entry]] = []
        while self.next_wake() is not None and self._heap[0][2].held_until is not None:
            passed.append(heapq.heappop(self._heap))
        instant = self.next_wake()
        for item in passed:
            heapq.heappush(self._heap, item)
        return instant

    def at(self, instant: datetime) -> list[Entry]:
        """The schedules whose next slot is at an instant, those that are held left aside."""
        return [entry for entry in self.due(instant) if entry.due_at == instant and entry.held_until is None]

    def due(self, now: datetime) -> list[Entry]:
        """The schedules with a slot at or before `now`, in the order of their slots."""
        found: dict[int, Entry] = {}
        while (wake := self.next_wake()) is not None and wake <= now:
            entry = heapq.heappop(self._heap)[2]
            found[entry.id] = entry
        for entry in found.values():
            self._push(entry)
        return list(found.values())

    def advance(self, entry: Entry, until: datetime) -> None:
        """Note that everything of a schedule up to a moment is decided."""
        entry.base = until
        entry.held_until = None
        entry.refusals, entry.doubtful = 0, False
        entry.due_at = _next(entry, until)
        self._push(entry)

    def hold(self, entry: Entry, until: datetime) -> None:
        """Note that a schedule could not be claimed, and look at it again no earlier than that."""
        entry.held_until = until
        entry.refusals += 1
        entry.doubtful = True
        self._push(entry)

    def _merge(self, before: Entry | None, row: ScheduleRow) -> Entry:
        entry = _merge(before, row)
        if self.monitored and entry is not before:
            entry.monitor = monitor(row.job_name, row.key, row.expr, row.tz)
        return entry

    def _push(self, entry: Entry) -> None:
        wake = entry.wake_at
        if wake is not None:
            heapq.heappush(self._heap, (wake, next(self._ties), entry))

    def _valid(self, item: tuple[datetime, int, Entry]) -> bool:
        wake, _, entry = item
        return self._entries.get(entry.id) is entry and entry.wake_at == wake


def _merge(before: Entry | None, row: ScheduleRow) -> Entry:
    """The entry of a row; where only time has passed, the one there was."""
    if before is not None and before.row.version == row.version and before.base == row.checked_until:
        before.row = row
        before.held_until = None
        before.doubtful = False
        return before
    entry = Entry(row, None, row.checked_until, None)
    try:
        if not isinstance(row.args, list) or not isinstance(row.kwargs, dict):
            raise BadSchedule("The arguments must be a JSON array, and those by name a JSON object.")
        known = before.periodic if before is not None and before.row.version == row.version else None
        entry.periodic = entry.options["periodic"] = known or cron(row.expr, row.tz)
    except BadSchedule as error:
        entry.set_aside(str(error))
    else:
        entry.due_at = _next(entry, row.checked_until)
    return entry


def _next(entry: Entry, after: datetime) -> datetime | None:
    if entry.periodic is None:
        return None
    try:
        return entry.periodic.next(after)
    except (BadSchedule, OverflowError) as error:
        log.warning("A schedule has ended.", action="schedule_ended", **_about(entry.row), error=str(error))
        return None


def _about(row: ScheduleRow) -> dict[str, Any]:
    return {"schedule": row.id, "job": row.job_name}
