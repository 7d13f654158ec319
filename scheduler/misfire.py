"""What becomes of slots that are due: which run, and what is recorded of those that do not.

A slot that is claimed within its schedule's grace (a second at least) is `fired`. For slots older than that
no scheduler was there in time, and the schedule's policy speaks:

    skip       none of them runs: all are `missed`
    run_once   one run stands for all of them: the newest is `late`, the others are `coalesced`; where a
               slot within the grace is fired at the same time, its run does, and all are `coalesced`
    run_all    the oldest run, up to the limit (`late`); the rest are `missed`

A catch-up is bounded whatever the time that was slept through: the newest `MOST` slots are recorded one by
one, and before them at most `MOST_LATE` that `run_all` runs. All that lie between those two share one
occurrence, at the last of their due times, whose reason tells the first and the last slot that it stands
for.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from callboard.core.states import Disposition

#: The most slots of one schedule that one catch-up records one by one.
MOST = 1_000
#: The most late runs that one catch-up of one schedule makes, whatever its limit.
MOST_LATE = 500
#: A slot that is claimed this soon after its time is on time, whatever the grace.
PROMPT = timedelta(seconds=1)


class Calendar(Protocol):
    """What is asked of a cron expression; times are aware."""

    def next(self, after: datetime) -> datetime:
        """The first slot strictly after a time."""

    def previous(self, before: datetime) -> datetime:
        """The last slot strictly before a time."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A schedule's declared way with slots that nobody claimed in time."""

    misfire: str = "run_once"
    limit: int = 100
    grace_ms: int = 60_000


@dataclass(frozen=True, slots=True)
class Slot:
    """One due time and what becomes of it."""

    due_at: datetime
    disposition: Disposition
    reason: str

    @property
    def runs(self) -> bool:
        """Whether a run is enqueued for it."""
        return self.disposition in (Disposition.FIRED, Disposition.LATE)


def settle(calendar: Calendar, policy: Policy, after: datetime, now: datetime) -> list[Slot]:
    """Every slot after `after` up to and including `now`, oldest first, and what becomes of each.

    At most `MOST + MOST_LATE + 1` slots are returned, and about twice as many computed.
    """
    limit = max(0, min(policy.limit, MOST_LATE)) if policy.misfire == "run_all" else 0
    newest = _forward(calendar, after, now, MOST + 1)
    oldest: list[datetime] = []
    hidden: tuple[datetime, datetime] | None = None
    if len(newest) > MOST:
        oldest = newest[:limit]
        newest = _backward(calendar, now, MOST)
        oldest = [due for due in oldest if due < newest[0]]
        first = calendar.next(oldest[-1] if oldest else after)
        if first < newest[0]:
            hidden = first, calendar.previous(newest[0])

    start = now - max(timedelta(milliseconds=policy.grace_ms), PROMPT)
    fired = [due for due in newest if due >= start]
    beyond = oldest + newest[: len(newest) - len(fired)]
    slots = [Slot(due, Disposition.FIRED, _lateness(due, now, policy)) for due in fired]
    if policy.misfire == "run_all":
        slots += _run_all(beyond, limit, now)
    elif policy.misfire == "run_once":
        slots += _run_once(beyond, fired, now, more=hidden is not None)
    else:
        slots += _skip(beyond, policy)
    if hidden is not None:
        slots.append(_summary(hidden, policy))
    slots.sort(key=lambda slot: slot.due_at)
    return slots


def on_time(due_at: datetime) -> Slot:
    """The slot of a schedule that is being claimed at its very time."""
    return Slot(due_at, Disposition.FIRED, "on time")


def _forward(calendar: Calendar, after: datetime, until: datetime, limit: int) -> list[datetime]:
    found: list[datetime] = []
    due = calendar.next(after)
    while due <= until and len(found) < limit:
        found.append(due)
        due = calendar.next(due)
    return found


def _backward(calendar: Calendar, until: datetime, limit: int) -> list[datetime]:
    found: list[datetime] = []
    due = until + timedelta(microseconds=1)
    while len(found) < limit:
        due = calendar.previous(due)
        found.append(due)
    return found[::-1]


def _skip(beyond: Iterable[datetime], policy: Policy) -> list[Slot]:
    reason = f"not claimed within its grace of {_span(policy.grace_ms / 1000)}, and the policy is skip"
    return [Slot(due, Disposition.MISSED, reason) for due in beyond]


def _run_once(beyond: list[datetime], fired: list[datetime], now: datetime, *, more: bool) -> list[Slot]:
    if not beyond:
        return []
    stands = fired[0] if fired else beyond[-1]
    reason = f"the run of the slot of {_stamp(stands)} stands for it"
    slots = [Slot(due, Disposition.COALESCED, reason) for due in beyond if due != stands]
    if not fired:
        count = f"more than {len(beyond):,}" if more else f"{len(beyond):,}"
        what = "" if len(beyond) == 1 and not more else f", and the newest of {count} missed slots"
        slots.append(Slot(stands, Disposition.LATE, f"{_span((now - stands).total_seconds())} late{what}"))
    return slots


def _run_all(beyond: list[datetime], limit: int, now: datetime) -> list[Slot]:
    slots = [
        Slot(due, Disposition.LATE, f"{_span((now - due).total_seconds())} late, run by the policy run_all")
        for due in beyond[:limit]
    ]
    reason = f"the policy run_all runs the oldest {limit:,} missed slots, and this is not one of them"
    return slots + [Slot(due, Disposition.MISSED, reason) for due in beyond[limit:]]


def _summary(hidden: tuple[datetime, datetime], policy: Policy) -> Slot:
    first, last = hidden
    disposition = Disposition.COALESCED if policy.misfire == "run_once" else Disposition.MISSED
    reason = (
        f"stands for every slot from {_stamp(first)} to {_stamp(last)}: "
        f"a catch-up records only the newest {MOST:,} one by one"
    )
    return Slot(last, disposition, reason)


def _lateness(due: datetime, now: datetime, policy: Policy) -> str:
    if now - due <= PROMPT:
        return "on time"
    late, grace = _span((now - due).total_seconds()), _span(policy.grace_ms / 1000)
    return f"{late} late, within its grace of {grace}"


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _span(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.4g} {unit}"
    return f"{seconds:.3g} s"
