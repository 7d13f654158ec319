"""The scheduler: Periodiq's frame, with slots that are claimed in the database.

No leader is elected. Every scheduler computes what is due and proposes it; the database takes each slot
from one of them (`storage.slots`). What was claimed is sent at once (`scheduler.relay`). What another has
claimed is looked up again a moment later, and proposed again should the other not have finished.
"""

import platform
from collections.abc import Iterable
from datetime import datetime, timedelta

import periodiq
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from callboard.core.logging import get_logger
from callboard.scheduler.alarm import Alarm
from callboard.scheduler.batch import Batch, batch_ahead, batch_of_due
from callboard.scheduler.clock import Clock, alarming, describe_step
from callboard.scheduler.misfire import PROMPT
from callboard.scheduler.outage import Outage
from callboard.scheduler.relay import RedisUnavailable, Relay
from callboard.scheduler.timetable import Entry, Timetable
from callboard.storage.alerts import open_alert
from callboard.storage.clocks import database_time
from callboard.storage.slots import Claimed, claim_slots, load_schedules

log = get_logger(__name__)

#: Seconds between two full loads of the schedules while notices of changes arrive, and while they do not.
RELOAD = 30.0
POLL = 1.0
#: A schedule that another scheduler has hold of is looked up again after so long, at first and at most.
HOLD = timedelta(milliseconds=50)
LONGEST_HOLD = timedelta(seconds=1)
#: A change that is heard of this shortly before an instant is read after it: the claim sees it anyway.
NEAR = 0.05


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
        self._unreported: list[tuple[str, float]] = []

    def changed(self) -> None:
        """Have the schedules loaded anew. May be called from any thread."""
        self._reload_at = None
        self.alarm_q.ring()

    def stop(self) -> None:
        """End the loop. May be called from any thread and from a signal handler."""
        self.alarm_q.stop()

    def schedule(self) -> None:
        """Do whatever is to be done now, and set the alarm to when there is more."""
        try:
            self._heed_step()
            if self._ahead is not None and 0 < self._clock.seconds_until(self._ahead.now) < NEAR:
                self.alarm_q.set(self._ahead.now)
                return
            if self._ahead is None:
                self._load()
            while not self.alarm_q.stopped and (due := self.timetable.due(self._clock.now())):
                if doubtful := [entry for entry in due if entry.doubtful]:
                    self._look_up(doubtful)
                else:
                    self.send_actors(due, now=self._clock.now())
            self._load()
            self._prepare()
        except SQLAlchemyError as error:
            self._ahead = None
            self._reload_at = None
            pause = self._database.failed(error)
            self.alarm_q.set(self._clock.now() + timedelta(seconds=pause))

    def send_actors(self, actors: Iterable[Entry], now: datetime) -> None:
        """Claim slots of schedules that are due, as many as go into one claim, and send their messages."""
        batch, self._ahead = self._ahead, None
        if batch is None or not timedelta(0) <= now - batch.now <= PROMPT:
            due = list(actors)
            fresh = [entry for entry in due if entry.due_at is not None and now - entry.due_at <= PROMPT]
            batch = batch_of_due(fresh or due, now)
        with self._engine.begin() as connection:
            claimed = claim_slots(connection, batch.proposal)
        self._database.over()
        self._send(batch, claimed)
        self._settle(batch, claimed)

    def _send(self, batch: Batch, claimed: Claimed) -> None:
        messages = [message for run_id, message in batch.messages.items() if run_id in claimed.run_ids]
        if not messages or self._redis.open:
            return
        try:
            self._relay.hand_over(messages)
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
        if self._reload_at is not None and now < self._reload_at:
            return
        self._reload_at = now + timedelta(seconds=RELOAD if self.listening else POLL)
        try:
            with self._engine.begin() as connection:
                self._clock.measure(lambda: database_time(connection))
                self.timetable.replace(load_schedules(connection))
                for entry in self.timetable.unreadable:
                    open_alert(
                        connection,
                        "schedule_unreadable",
                        f"{entry.actor_name} {entry.row.expr}",
                        f"A schedule of {entry.actor_name} does not run: '{entry.row.expr}' in {entry.row.tz}"
                        " cannot be read.",
                        schedule_id=entry.id,
                    )
        except SQLAlchemyError:
            self._reload_at = None
            raise
        self._database.over()
        self._ahead = None
        self.actors = self.timetable.entries

    def _prepare(self) -> None:
        """Make the next batch ready and set the alarm to its instant, or to the next load."""
        wake = self.timetable.next_wake()
        reload_at = self._reload_at or self._clock.now()
        if wake is not None and self._ahead is None and wake > self._clock.now():
            entries = [entry for entry in self.timetable.due(wake) if entry.due_at == wake]
            self._ahead = batch_ahead(entries, wake) if entries else None
        self.next_wake = wake
        self.alarm_q.set(reload_at if wake is None else min(wake, reload_at))

    def _heed_step(self) -> None:
        """After a step of the clock, decide nothing before it has been measured against the database's."""
        step = self._clock.take_step()
        if step:
            self._ahead = None
            self._reload_at = None
            text = describe_step(step)
            log.warning(text, action="clock_stepped", seconds=round(step, 1))
            if alarming(step):
                self._unreported.append((text, step))
        while self._unreported:
            text, step = self._unreported[0]
            with self._engine.begin() as connection:
                open_alert(connection, "clock_step", platform.node(), text, seconds=round(step, 1))
            self._unreported.pop(0)
