"""Row 21: pauses, their ends and cancellations race the tick."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from callboard.control.actions.pauses import pause, resume
from callboard.control.actions.runs import cancel
from callboard.control.auth import Principal, Role
from callboard.control.context import Context
from callboard.core.errors import Conflict, NotFound
from helpers.faults import Side, require, require_soon
from helpers.recorders import recording, select, wait_until_read
from helpers.schedules import fetch
from helpers.waiting import wait_for

#: Seconds for which operators race the clock.
RACE = 6


class Operator:
    """Pauses, resumes and cancels; with the stock libraries, by a flag that the job looks at."""

    def __init__(self, side: Side, context: Context | None) -> None:
        self._side, self._context = side, context
        self._who = Principal("otto", Role.OPERATOR, "panel", "10.0.0.2")
        self._dice = random.Random(5)
        self.cancelled: set[str] = set()

    def act(self) -> None:
        """Do one of it."""
        if self._context is None:
            flag = f"{self._side.namespace}:held"
            self._side.client.set(flag, 1) if self._dice.random() < 0.5 else self._side.client.delete(flag)
            return
        chance = self._dice.random()
        if chance < 0.2:
            pause(self._context, self._who, "job", "slot", reason="racing")
        elif chance < 0.3:
            resume(self._context, self._who, "job", "slot")
        else:
            self._cancel_latest()

    def end(self) -> None:
        """Let everything go on."""
        if self._context is None:
            self._side.client.delete(f"{self._side.namespace}:held")
        else:
            resume(self._context, self._who, "job", "slot")

    def _cancel_latest(self) -> None:
        query = "SELECT run_id FROM callboard.runs ORDER BY enqueued_at DESC LIMIT 1"
        for run_id in fetch(self._side.engine, query):
            try:
                cancel(self._context, self._who, run_id)  # type: ignore[arg-type]
            except (Conflict, NotFound):
                continue
            self.cancelled.add(str(run_id))


@contextmanager
def operating(side: Side) -> Iterator[Operator]:
    """An operator of that side, and with ours a recorder, to which workers declare what is scheduled."""
    if not side.ours:
        yield Operator(side, None)
        return
    with Context(side.settings) as context, recording(side.settings):
        yield Operator(side, context)


def operators_race_the_tick(side: Side) -> set[str]:
    """What becomes of a slot is decided once. Returns the ids of the runs that were cancelled."""
    with operating(side) as operator, side.fleet(threads=4), side.scheduler(), side.scheduler():
        wait_for(lambda: side.notes("slot"), 30, "a slot")
        first = side.notes()[0].slot
        until = time.monotonic() + RACE
        while time.monotonic() < until:
            operator.act()
            time.sleep(0.01)
        operator.end()
        last = int(time.time())
        require_soon(lambda: max(note.slot for note in side.notes()) > last, 15, "it does not go on")
        require_soon(lambda: side.left_over() == 0, 10, "something is left in the queue")
        if side.ours:
            wait_until_read(side.settings)
    decided = Counter(note.slot for note in side.notes() if first <= note.slot <= last)
    twice = [slot - first for slot, times in decided.items() if times > 1]
    require(not twice, f"slots were decided twice: {twice}")
    return operator.cancelled


def test_each_slot_is_decided_once(ours: Side) -> None:
    cancelled = operators_race_the_tick(ours)

    # Then each slot has one run and one disposition, made at the claim: it ran, or was cancelled and did not.
    # An order to cancel that meets a run that has just been claimed comes too late to be a disposition.
    rows = select(
        ours.settings,
        "SELECT o.due_at, o.disposition, r.state"
        "  FROM callboard.occurrences o LEFT JOIN callboard.runs r USING (run_id) ORDER BY o.due_at",
    )
    ran = {note.slot for note in ours.notes("slot")}
    due = [int(row["due_at"].timestamp()) for row in rows]
    assert due == list(range(due[0], due[0] + len(due)))
    found = {(row["disposition"], row["state"], slot in ran) for row, slot in zip(rows, due, strict=True)}
    assert found - {("fired", "cancelled", True)} == {
        ("fired", "succeeded", True),
        ("cancelled", "cancelled", False),
    }
    assert sum(row["state"] == "cancelled" for row in rows) == len(cancelled)


def test_stock_periodiq_decides_twice_with_two_schedulers(violated_by_stock) -> None:
    violated_by_stock(operators_race_the_tick, "slots were decided twice")
