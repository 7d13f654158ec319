"""Schedules against each other: how many threads their runs want in each minute of a week, and who meets.

A run wants a thread in every minute that it touches, by the duration that its job usually has. Where more
want one than there are, some wait; a collision is such a stretch of minutes, and says what would part them.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from itertools import groupby, islice
from math import ceil
from operator import and_, or_
from typing import Literal

from callboard.core.cron import Cron
from callboard.core.cron_calendar import calendar
from callboard.core.display import many, span
from callboard.core.week import WEEK_MINUTES, minute_after, minutes_of, places, span_of

#: So many collisions are told, the worst first, and so many of the jobs that meet in one.
TOLD = 50
NAMED = 8
#: So many minutes on either side a quieter one is looked for.
NEAR = 30
#: So many of those that begin there are tried to be moved.
TRIED = 3
#: A run is taken to last no longer than this many minutes.
LONGEST = 24 * 60
#: A wait longer than this (ms) makes a collision critical.
LONG_WAIT_MS = 60_000


@dataclass(frozen=True, slots=True)
class Plan:
    """One schedule that is on, how long its job's runs take, and whether one of them runs at a time only."""

    job: str
    schedule: Cron
    took_ms: float
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Quieter:
    """What would part those that meet: a job begun so many minutes later, or earlier (less than 0)."""

    job: str
    minutes: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Collision:
    """A stretch of minutes in which more runs want a thread than there are, at its worst minute `at`.

    `minutes` is its length, `times` how often the same begin together in the week. `jobs` meet there (at most
    `NAMED`, `more` are not named); `delay_ms` is about how long the last of them waits.
    """

    at: datetime
    minutes: int
    times: int
    demand: int
    slots: int
    jobs: tuple[str, ...]
    more: int
    delay_ms: float
    severity: Literal["warning", "critical"]
    quieter: Quieter | None
    evidence: str


@dataclass(frozen=True, slots=True)
class Week:
    """The demand for threads in each minute from `start` on, and where it exceeds the `slots` there are.

    `slots` is None where no worker says; then there is no telling what collides.
    """

    start: datetime
    slots: int | None
    demand: tuple[int, ...]
    collisions: tuple[Collision, ...]

    @property
    def peak(self) -> int:
        """The highest demand."""
        return max(self.demand, default=0)


@dataclass(frozen=True, slots=True)
class _Busy:
    """A plan with the minutes in which it begins, and in which it wants `threads` threads.

    Runs of one job that overlap each other want a thread each; `spans` are the minutes of all of them.
    """

    plan: Plan
    begins: int
    busy: int
    threads: int
    spans: int


def week_of(plans: Sequence[Plan], slots: int | None, start: datetime, minutes: int = WEEK_MINUTES) -> Week:
    """The coming week (or so many minutes) of some schedules that share `slots` threads, one at least."""
    busy = [each for plan in plans for each in _busy(plan, start, minutes)]
    demand = _add_up(busy, minutes)
    found = () if slots is None else tuple(islice(_collisions(busy, demand, slots, start), TOLD))
    return Week(start, slots, tuple(demand), found)


def _busy(plan: Plan, start: datetime, minutes: int) -> list[_Busy]:
    begins = minutes_of(plan.schedule, start, minutes)
    if not begins:
        return []
    a_minute = len(calendar(plan.schedule.expr).seconds)
    if a_minute > 1:
        threads = 1 if plan.alone else max(1, ceil(a_minute * plan.took_ms / 60_000))
        return [_Busy(plan, begins, begins, threads, begins)]
    lasts = min(LONGEST, max(1, ceil(plan.took_ms / 60_000)))
    shifted = [begins << late & span_of(minutes) for late in range(lasts)]
    spans = reduce(or_, shifted)
    if plan.alone:
        return [_Busy(plan, begins, spans, 1, spans)]
    return [_Busy(plan, 0 if late else begins, busy, 1, spans) for late, busy in enumerate(shifted)]


def _add_up(busy: Sequence[_Busy], minutes: int) -> list[int]:
    """How many threads are wanted in each minute: added up bit by bit, for all minutes at once."""
    planes: list[int] = []
    weights: dict[int, int] = defaultdict(int)
    for each in busy:
        weights[each.busy] += each.threads
    for mask, weight in weights.items():
        for place in places(weight):
            _add(planes, mask, place)
    demand = [0] * minutes
    for place, plane in enumerate(planes):
        for minute, bit in enumerate(reversed(f"{plane:0{minutes}b}")):
            if bit == "1":
                demand[minute] += 1 << place
    return demand


def _add(planes: list[int], mask: int, place: int) -> None:
    """Add 2 to the power `place` in the minutes of a mask; plane p holds the p-th binary digit of all."""
    while mask:
        if place >= len(planes):
            planes.extend([0] * (place + 1 - len(planes)))
        planes[place], mask = planes[place] ^ mask, planes[place] & mask
        place += 1


def _collisions(
    busy: Sequence[_Busy], demand: Sequence[int], slots: int, start: datetime
) -> Iterator[Collision]:
    full, over = _mask(demand, slots), _mask(demand, slots + 1)
    told = 0
    for worst, length in sorted(_stretches(demand, slots), key=lambda each: (-demand[each[0]], each)):
        if told >> worst & 1:
            continue
        meet = [each for each in busy if each.busy >> worst & 1]
        begin = [each for each in meet if each.begins >> worst & 1]
        together = reduce(and_, (each.begins for each in begin))
        told |= together
        yield _collision(
            meet, demand[worst], slots, minute_after(start, worst), length, together.bit_count(),
            _quieter(begin, full, over, start, worst),
        )  # fmt: skip


def _stretches(demand: Sequence[int], slots: int) -> Iterator[tuple[int, int]]:
    """The worst minute and the length of each stretch of minutes in which the demand exceeds the slots."""
    for over, minutes in groupby(enumerate(demand), key=lambda each: each[1] > slots):
        if over:
            stretch = list(minutes)
            yield max(stretch, key=lambda each: (each[1], -each[0]))[0], len(stretch)


def _mask(demand: Sequence[int], least: int) -> int:
    """The minutes in which the demand is at least so high."""
    return int("".join("1" if wanted >= least else "0" for wanted in reversed(demand)) or "0", 2)


def _collision(
    meet: Sequence[_Busy], demand: int, slots: int, at: datetime, length: int, times: int,
    quieter: Quieter | None,
) -> Collision:  # fmt: skip
    longest_first = sorted(meet, key=lambda each: (-each.plan.took_ms, each.plan.job))
    jobs = tuple(dict.fromkeys(each.plan.job for each in longest_first))
    work_ms = sum(each.plan.took_ms * each.threads for each in meet)
    delay_ms = (demand - 1) // slots * work_ms / demand
    lasting = f" for {length} min" if length > 1 else ""
    waits = f"the last of them waits about {span(delay_ms)}"
    text = f"{many(demand, 'run')} want {many(slots, 'thread')}{lasting}; {waits}."
    if quieter is not None:
        way = "later" if quieter.minutes > 0 else "earlier"
        text += f" {quieter.job}, begun {abs(quieter.minutes)} min {way}, would have a thread at once."
    return Collision(
        at=at,
        minutes=length,
        times=times,
        demand=demand,
        slots=slots,
        jobs=jobs[:NAMED],
        more=max(0, len(jobs) - NAMED),
        delay_ms=delay_ms,
        severity="critical" if delay_ms > LONG_WAIT_MS else "warning",
        quieter=quieter,
        evidence=text,
    )


def _quieter(begin: Sequence[_Busy], full: int, over: int, start: datetime, worst: int) -> Quieter | None:
    """The nearest minute at which one of those that begin would have a thread, each time that it runs.

    The one that begins least often is moved, as that changes the least.
    """
    for moved in sorted(begin, key=lambda each: (each.begins.bit_count(), -each.plan.took_ms))[:TRIED]:
        taken = (full & ~moved.spans) | (over & moved.spans)
        for minutes in range(1, NEAR + 1):
            for shift in (minutes, -minutes):
                shifted = moved.spans << shift if shift > 0 else moved.spans >> -shift
                if not shifted & taken and worst + shift >= 0:
                    return Quieter(moved.plan.job, shift, minute_after(start, worst + shift))
    return None
