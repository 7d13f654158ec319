"""The scheduler: Periodiq's frame, with slots that are claimed in the database.

No leader is elected. Every scheduler computes what is due and proposes it; the database takes each slot
from one of them (`storage.slots`). What was claimed is sent at once (`scheduler.relay`). What another has
claimed is looked up again a moment later, and proposed again should the other not have finished.

An instant goes like this. Long before it, the batch of its slots is made ready: proposal, messages,
packets. Shortly before it (`_lead`), the claim is made and held: rows inserted, nothing committed. At the
instant it is committed, and the packets go out in one call. Whatever is heard of in between (a switch,
another schedule) undoes the claim, and it is made anew. After the instant the rows are marked as sent, and
the next batch is made ready.
"""

import platform
import time
from collections.abc import Iterable
from datetime import datetime, timedelta

import periodiq
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from callboard.core.logging import get_logger
from callboard.scheduler.alarm import Alarm
from callboard.scheduler.batch import Batch, batch_ahead, batch_of_due
from callboard.scheduler.clock import Clock, alarming, describe_step
from callboard.scheduler.misfire import PROMPT
from callboard.scheduler.outage import Outage
from callboard.scheduler.relay import RedisUnavailable, Relay
from callboard.scheduler.timetable import Entry, Timetable
from callboard.storage.alerts import open_alert, resolve_others
from callboard.storage.clocks import database_time
from callboard.storage.slots import Claimed, HeldClaim, claim_slots, load_schedules

log = get_logger(__name__)

#: Seconds between two full loads of the schedules while notices of changes arrive, and while they do not.
RELOAD = 30.0
POLL = 1.0
#: A schedule that another scheduler has hold of is looked up again after so long, at first and at most.
HOLD = timedelta(milliseconds=50)
LONGEST_HOLD = timedelta(seconds=1)
#: A load that nothing has asked for waits for an instant that is this near.
NEAR = timedelta(seconds=0.5)
#: The kind of the alerts that stand for schedules whose expression nobody can read.
UNREADABLE = "schedule_unreadable"
#: How many seconds before the instant a claim is made, at least and at most.
SHORTEST_LEAD = 0.05
LONGEST_LEAD = 0.5


class Scheduler(periodiq.Scheduler):
    """Claims slots when they are due, and sends their messages.

    Kept of Periodiq's scheduler: its loop, which waits on `alarm_q` and calls `schedule`; `actors`, the
    list of what is scheduled, each with `options["periodic"]`; `send_actors`, which sends what is due.
    Replaced: the source of the list (the database, at any time, in place of the code, once), the
    arithmetic, the sending (claimed first, recorded, sent once however many schedulers run), and waiting by
    SIGALRM.
    """

    alarm_q: Alarm  # type: ignore[assignment]
    actors: list[Entry]

    def __init__(
        self,
        engine: Engine,
        relay: Relay,
        clock: Clock,
        database: Outage | None = None,
        redis: Outage | None = None,
    ) -> None:
        super().__init__(actors=[])  # type: ignore[no-untyped-call]
        self.alarm_q = Alarm(clock)
        self.timetable = Timetable()
        #: Whether alerts are opened.
        self.tells = True
        #: Whether notices of changes arrive; without them the schedules are polled.
        self.listening = False
        #: When a schedule is to be looked at next, for others to see.
        self.next_wake: datetime | None = None
        self._engine = engine
        self._relay = relay
        self._clock = clock
        self._database = database or Outage("PostgreSQL")
        self._redis = redis or Outage("Redis")
        self._reload_at: datetime | None = None
        self._ahead: Batch | None = None
        self._held: HeldClaim | None = None
        #: Seconds before an instant at which its claim is made.
        self._lead = SHORTEST_LEAD
        #: How many changes were heard of; and how many when the claim was made that is held.
        self._changes = self._held_changes = 0
        self._unreported: list[tuple[str, float]] = []

    def changed(self) -> None:
        """Have the schedules loaded anew. May be called from any thread."""
        self._changes += 1
        self._reload_at = None
        self.alarm_q.ring()

    def stop(self) -> None:
        """End the loop. May be called from any thread and from a signal handler."""
        self.alarm_q.stop()

    def loop(self) -> None:
        """Schedule whenever the alarm rings, until stopped."""
        try:
            super().loop()  # type: ignore[no-untyped-call]
        finally:
            self._undo()

    def schedule(self) -> None:
        """Do whatever is to be done now, and set the alarm to when there is more."""
        try:
            self._heed_step()
            if self._await_instant():
                return
            if not self._at_instant:
                self._load()
            while not self.alarm_q.stopped and (due := self.timetable.due(self._clock.now())):
                doubtful = [entry for entry in due if entry.doubtful]
                if doubtful and not self._at_instant:
                    self._look_up(doubtful)
                else:
                    self.send_actors(due, now=self._clock.now())
                if self._reload_at is None:
                    break  # A catch-up may take minutes, and this may stop it.
            self._load()
            self._prepare()
        except SQLAlchemyError as error:
            self._undo()
            self._ahead = None
            self._reload_at = None
            pause = self._database.failed(error)
            self.alarm_q.set(self._clock.now() + timedelta(seconds=pause))

    def send_actors(self, actors: Iterable[Entry], now: datetime) -> None:
        """Claim slots of schedules that are due, as many as go into one claim, and send their messages."""
        batch = self._ahead if self._at_instant else None
        if batch is None or now - batch.now > PROMPT:
            self._undo()
            due = list(actors)
            fresh = [entry for entry in due if entry.due_at is not None and now - entry.due_at <= PROMPT]
            batch = batch_of_due(fresh or due, now)
        held, self._held, self._ahead = self._held, None, None
        claimed = self._claim(batch) if held is None else held.commit()
        self._database.over()
        self._send(batch, claimed)
        self._settle(batch, claimed)

    @property
    def _at_instant(self) -> bool:
        """Whether the instant that a batch was made ready for is here."""
        return self._ahead is not None and self._clock.seconds_until(self._ahead.now) <= 0

    def _await_instant(self) -> bool:
        """Hold the claim of an instant that is near. Returns whether there is nothing but to wait for it."""
        if self._ahead is None or (left := self._clock.seconds_until(self._ahead.now)) <= 0:
            return False
        if self._held is not None and self._held_changes != self._changes:
            self._undo()
        if self._held is None:
            if left > self._lead:
                return False
            self._held_changes = self._changes
            began = time.monotonic()
            self._held = HeldClaim(self._engine, self._ahead.proposal)
            self._learn_lead(time.monotonic() - began)
        self.alarm_q.set(self._ahead.now)
        return True

    def _learn_lead(self, took: float) -> None:
        """Make the next claim early enough: twice as long before the instant as claims have lately taken."""
        self._lead = min(max(2 * took, 0.9 * self._lead, SHORTEST_LEAD), LONGEST_LEAD)

    def _claim(self, batch: Batch) -> Claimed:
        with self._engine.begin() as connection:
            return claim_slots(connection, batch.proposal)

    def _undo(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.undo()

    def _send(self, batch: Batch, claimed: Claimed) -> None:
        if not claimed.run_ids or self._redis.open:
            return
        try:
            self._relay.hand_over(batch.packed(claimed.run_ids, self._relay.pack))
        except RedisUnavailable as error:
            self._redis.failed(error)

    def _settle(self, batch: Batch, claimed: Claimed) -> None:
        """Move on the schedules that were claimed; what was not is another's, or has changed."""
        for schedule_id, entry in batch.entries.items():
            if schedule_id in claimed.schedule_ids:
                self.timetable.advance(entry, batch.untils[schedule_id])
            else:
                pause = min(HOLD * 2 ** min(entry.refusals, 10), LONGEST_HOLD)
                self.timetable.hold(entry, self._clock.now() + pause)
        log.debug("Slots claimed.", action="slots_claimed", schedules=len(claimed.schedule_ids),
                  proposed=len(batch), runs=len(claimed.run_ids))  # fmt: skip

    def _look_up(self, doubtful: Iterable[Entry]) -> None:
        """See what has become of schedules that could not be claimed."""
        ids = [entry.id for entry in doubtful]
        with self._engine.begin() as connection:
            self._clock.measure(lambda: database_time(connection))
            rows = load_schedules(connection, ids)
        self.timetable.refresh(ids, rows)

    def _load(self) -> None:
        now = self._clock.now()
        if self._next_load(now) > now:
            return
        self._reload_at = now + timedelta(seconds=RELOAD if self.listening else POLL)
        try:
            with self._engine.begin() as connection:
                self._clock.measure(lambda: database_time(connection))
                self.timetable.replace(load_schedules(connection))
                self._tell_unreadable(connection)
        except SQLAlchemyError:
            self._reload_at = None
            raise
        self._database.over()
        self._undo()
        self._ahead = None
        self.actors = self.timetable.entries

    def _tell_unreadable(self, connection: Connection) -> None:
        unreadable = {f"{entry.actor_name} #{entry.id}": entry for entry in self.timetable.unreadable}
        for subject, entry in unreadable.items() if self.tells else ():
            message = f"A schedule of {entry.actor_name} does not run. {entry.problem}"
            open_alert(connection, UNREADABLE, subject, message, schedule_id=entry.id)
        resolve_others(connection, UNREADABLE, unreadable)

    def _next_load(self, now: datetime) -> datetime:
        """When to load next: at once if asked to; if it is merely time, not shortly before an instant."""
        if self._reload_at is None:
            return now
        at = max(self._reload_at, now)
        wake = self.timetable.next_wake()
        near = wake is not None and wake - at < NEAR
        return wake if wake is not None and near and (at - self._reload_at).total_seconds() < RELOAD else at

    def _prepare(self) -> None:
        """Make the next batch ready, and set the alarm to whatever comes first."""
        now = self._clock.now()
        instant = self.timetable.next_instant()
        if self._ahead is not None and self._ahead.now != instant:
            self._undo()
            self._ahead = None
        if self._ahead is None and instant is not None and instant > now:
            self._ahead = batch_ahead(self.timetable.at(instant), instant)
            self._ahead.seal(self._relay.pack)
        self.next_wake = self.timetable.next_wake()
        times = [self._next_load(now)]
        if self._ahead is not None:
            times.append(self._ahead.now - timedelta(seconds=self._lead))
        if self.next_wake is not None and (self._ahead is None or self.next_wake < self._ahead.now):
            times.append(self.next_wake)
        self.alarm_q.set(min(times))

    def _heed_step(self) -> None:
        """After a step of the clock, decide nothing before it has been measured against the database's."""
        step = self._clock.take_step()
        if step:
            self._undo()
            self._ahead = None
            self._reload_at = None
            text = describe_step(step)
            log.warning(text, action="clock_stepped", seconds=round(step, 1))
            if alarming(step) and self.tells:
                self._unreported.append((text, step))
        while self._unreported:
            text, step = self._unreported[0]
            with self._engine.begin() as connection:
                open_alert(connection, "clock_step", platform.node(), text, seconds=round(step, 1))
            self._unreported.pop(0)
