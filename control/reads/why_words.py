"""Plain sentences about slots."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from callboard.control.reads.ledger import Occurrence
from callboard.control.reads.presence import Presence
from callboard.control.reads.schedules import Schedule
from callboard.core.display import moment
from callboard.core.limits import cut
from callboard.storage.queries import Row

#: Reasons that the claim of a slot gives (`storage.slots`).
JOB_OFF = "the job is switched off"
SCHEDULE_OFF = "the schedule is switched off"

#: The reason where a slot should have been decided, and its row is not there.
FORGOTTEN = "the ledger no longer goes back so far"

#: How the reasons begin of slots that a schedule names now and did not name, or may not have named, then.
_OTHER_THEN = ("the schedule was made later", "the schedule was changed")

#: The reason of an occurrence that stands for many (`scheduler.misfire`).
_STANDS_FOR = re.compile(r"stands for every slot from (\S+ \S+) UTC to ")

#: How much of an error's words a sentence takes in, in characters.
MAX_ERROR = 300

_RUNS = {
    "pending": "and its run waits for a worker",
    "processing": "and its run is being executed",
    "succeeded": "and its run succeeded",
    "failed": "but its run failed",
    "dead": "but its run could not be executed",
    "cancelled": "but its run was cancelled",
    "skipped": "but the worker skipped its run",
}


def stands_for(reason: str | None, due_at: datetime) -> bool:
    """Whether an occurrence with that reason, which is not before a slot, stands for the slot."""
    found = _STANDS_FOR.match(reason or "")
    return found is not None and datetime.fromisoformat(f"{found[1]}+00:00") <= due_at


class Teller:
    """Tells times in one zone, as seen from now."""

    def __init__(self, tz: ZoneInfo, now: datetime) -> None:
        self._tz = tz
        self._now = now

    def time(self, at: datetime) -> str:
        """A moment, without its zone."""
        return moment(at.replace(microsecond=0), self._tz, self._now)

    def zoned(self, at: datetime) -> str:
        """A moment with its zone."""
        return f"{self.time(at)} ({self._tz})"

    def not_run(self, slot: Occurrence, reason: str | None) -> str:
        """Of a slot that was decided and became no run."""
        why = f", {reason}" if reason else ""
        alone = " by itself" if slot.disposition == "coalesced" else ""
        return f"{self._slot(slot)} did not run{alone}: {slot.disposition}{why}."

    def fired(self, slot: Occurrence, *, waiting: bool) -> str:
        """Of a slot that became a run."""
        how = (
            f"{self._slot(slot)} was fired" if slot.disposition == "fired" else f"{self._slot(slot)} ran late"
        )
        on_time = f" ({slot.reason})" if slot.reason else ""
        if waiting:
            return f"{how}{on_time}, but its message has not reached Redis yet."
        if slot.run_state is None:
            return f"{how}{on_time}; nothing is recorded of its run {slot.run_id} yet, or any more."
        why = ""
        if slot.run_state not in ("succeeded", "processing") and slot.run_reason:
            why = f": {cut(' '.join(slot.run_reason.split()), MAX_ERROR)}"
        return f"{how}{on_time}, {_RUNS[slot.run_state]}{why}".rstrip(".") + "."

    def unattended(self, slot: Occurrence, schedulers: Presence) -> str:
        """Why nobody had claimed a slot in time."""
        if schedulers.since is not None and schedulers.since > slot.due_at:
            return (
                f"The earliest of the schedulers that run now began later, at {self.time(schedulers.since)}."
            )
        return "No scheduler had claimed it in time: none was alive, or PostgreSQL did not answer it."

    def undecided(self, slot: Occurrence) -> str:
        """Of a slot that nobody has decided."""
        if slot.due_at > self._now:
            return f"{self._slot(slot)} has not run: {slot.reason}."
        if (slot.reason or "").startswith(_OTHER_THEN):
            return f"No slot is known at {self.zoned(slot.due_at)}: {slot.reason}."
        if slot.reason == FORGOTTEN:
            return f"What became of the slot of {self.zoned(slot.due_at)} is not known: {slot.reason}."
        return f"{self._slot(slot)} was never decided: {slot.reason}."

    def switched_off(self, what: str, change: Row | None, notes: str | None) -> str:
        """Why a job or a schedule was off; `notes` are the job's, where the change has none of its own."""
        said = (change["after"] or {}).get("notes") if change is not None else None
        quoted = f": '{said or notes}'" if said or notes else ""
        if change is None:
            return f"since the {what} was switched off{quoted}"
        return f"since {change['who']} switched the {what} off at {self.time(change['at'])}{quoted}"

    def around(self, schedule: Schedule, before: Occurrence | None, after: datetime | None) -> str:
        """The slots of a schedule before and after the moment."""
        parts = []
        if before is not None:
            became = f"{before.disposition}, {before.reason}" if before.reason else before.disposition
            parts.append(f"the slot before it was {self.time(before.due_at)} ({became})")
        if after is not None:
            parts.append(f"the next one {'is' if after > self._now else 'was'} {self.time(after)}")
        found = ", ".join(parts) or "it never falls due"
        return f"By the schedule {schedule.name} ({schedule.words}), {found}."

    def created_later(self, schedule: Schedule, *, within: bool = False) -> str:
        """That a schedule did not exist then."""
        by = f" by {schedule.changed_by}" if schedule.changed_by and schedule.origin == "operator" else ""
        when = f"was made later, at {self.time(schedule.created_at)}{by}"
        return f"the schedule {when}" if within else f"The schedule {schedule.name} {when}."

    def changed_since(self, schedule: Schedule, change: Row | None, *, within: bool = False) -> str:
        """That a schedule was another one then, or may have been."""
        if change is None:
            at, who, was = schedule.changed_at, schedule.changed_by, None
        else:
            at, who, was = change["at"], change["who"], (change["before"] or {}).get("expr")
        by = f" by {who}" if who else ""
        before = f" (before that it said {was})" if was and was != schedule.expr else ""
        words = f"the schedule was changed at {self.time(at)}{by}{before}"
        return words if within else f"{words[0].upper()}{words[1:]}."

    def is_off(self, schedule: Schedule) -> str:
        """That a schedule is off."""
        if schedule.retired:
            return "It is off, as the code no longer declares it."
        return "It is switched off."

    def _slot(self, slot: Occurrence) -> str:
        if _STANDS_FOR.match(slot.reason or ""):
            return f"The slot, with others up to {self.zoned(slot.due_at.astimezone(UTC))},"
        return f"The slot of {self.zoned(slot.due_at)}"
