"""The scheduler's process: its threads, put together here.

The *emitter* claims slots and sends them; it is alone on its path. The *courier* does the rest: it sends
what was left behind or delayed, passes switches and signals on, gives signs of life. The *listener* hears
of changes in the database and wakes the other two. Where people are to be told of alerts, a *teller* does
that. The main thread waits for the signal to end.

Neither PostgreSQL nor Redis being away ends the process. Any number of them may run.
"""

import gc
import platform
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from types import FrameType, TracebackType
from typing import Any, Self

from redis.exceptions import RedisError
from sqlalchemy import event

from callboard.core.errors import BadSettings
from callboard.core.logging import get_logger
from callboard.core.settings import Settings
from callboard.middleware.broker import Broker
from callboard.scheduler.clock import TOLERANCE, Clock
from callboard.scheduler.courier import Courier, Duty
from callboard.scheduler.emitter import Scheduler
from callboard.scheduler.health import health_duties
from callboard.scheduler.listener import Listener
from callboard.scheduler.memory import Memory
from callboard.scheduler.outage import Outage
from callboard.scheduler.presence import EVERY
from callboard.scheduler.relay import BATCH, Relay
from callboard.scheduler.switches import send_signals, sync_switches
from callboard.scheduler.teller import telling_thread
from callboard.storage.alerts import open_alert, resolve_alert
from callboard.storage.clocks import database_time
from callboard.storage.engine import make_engine
from callboard.storage.outbox import next_delayed
from callboard.storage.presence import Presence

log = get_logger(__name__)

#: A statement that takes longer than this is ended by the server.
STATEMENT_TIMEOUT_MS = 10_000
#: Seconds that Redis has to answer.
REDIS_TIMEOUT = 2.0
#: Seconds that the threads have to end in order.
GRACE = 5.0
#: Seconds between two rounds of each duty. Notices ask for them at once; this is for what no notice tells of.
RELAY_EVERY = 1.0
RELAY_POLL = 0.5
SWITCHES_EVERY = 30.0
SWITCHES_POLL = 1.0
CLOCK_EVERY = 5.0
#: Seconds for which a step of the clock is shown as an open alert.
STEP_SHOWN = 3600.0


def run(settings: Settings, duties: Sequence[Duty] = ()) -> None:
    """Run a scheduler until SIGTERM or SIGINT. `duties` are what it does beside its own, in a thread more.

    Raises:
        BadSettings: no database or no Redis is named.
    """
    with _stop_signals() as signals, SchedulerProcess(settings, duties) as process:
        # What is imported by now stays: collections that leave it out are too short to delay a slot.
        gc.freeze()
        while process.alive:
            try:
                name = signals.get(timeout=1.0)
            except Empty:
                continue
            log.info("Asked to end.", action="scheduler_stopping", signal=name)
            return
        raise RuntimeError("A thread of the scheduler has died; see the log above.")


class SchedulerProcess:
    """One scheduler with its threads. Starts with `start` or as a context, and ends with `stop`."""

    def __init__(self, settings: Settings, duties: Sequence[Duty] = ()) -> None:
        if not settings.database_url:
            raise BadSettings("No database is named: set DATABASE_URL, or start `callboard up` in this home.")
        if not settings.redis_url:
            raise BadSettings("No Redis is named: set REDIS_URL, or start `callboard up` in this home.")
        self.clock = Clock()
        self._engine = make_engine(
            settings.database_url,
            statement_timeout_ms=STATEMENT_TIMEOUT_MS,
            application_name="callboard-scheduler",
        )
        self._own_backends: set[int] = set()
        event.listen(self._engine, "connect", self._backend_opened)
        event.listen(self._engine, "close", self._backend_closed)
        self._broker = Broker(
            url=settings.redis_url,
            namespace=settings.callboard_namespace,
            socket_timeout=REDIS_TIMEOUT,
            socket_connect_timeout=REDIS_TIMEOUT,
        )
        self._client: Any = self._broker.client
        self._keys = self._broker.keys
        self._database, self._redis = Outage("PostgreSQL"), Outage("Redis")
        self.relay = Relay(self._engine, self._broker)
        self.scheduler = Scheduler(self._engine, self.relay, self.clock, self._database, self._redis)
        self.scheduler.tells = settings.cron_enable_alert_notifications
        self.scheduler.timetable.monitored = (
            settings.callboard_sentry_crons and settings.sentry_dsn is not None
        )
        self._presence = Presence(self._client, self._keys.schedulers, self._describe)
        self._memory = Memory(self._engine, self._client, self._keys)
        self._courier = Courier(
            [
                Duty("clock", self._measure_clock, CLOCK_EVERY),
                Duty("presence", self._be_present, EVERY),
                Duty("switches", self._sync_switches, SWITCHES_EVERY),
                Duty("signals", self._send_signals, RELAY_EVERY),
                Duty("outbox", self._send_outbox, RELAY_EVERY),
                *health_duties(self._engine, self._client, settings),
            ],
            self._database,
            self._redis,
        )
        teller = telling_thread(self._engine, settings, self._database, self._redis)
        self._couriers = [self._courier] if teller is None else [self._courier, teller]
        if duties:
            self._couriers.append(Courier(duties, self._database, self._redis, name="callboard-watch"))
        self._listener = Listener(
            settings.database_url,
            ["callboard_schedules", "callboard_control", "callboard_outbox"],
            self._hear,
            self._notices_changed,
        )
        self._emitter = threading.Thread(target=self._emit, name="callboard-emitter", daemon=True)

    def start(self) -> None:
        """Start the threads."""
        for thread in (self._listener, *self._couriers, self._emitter):
            thread.start()
        log.info("The scheduler is up.", action="scheduler_started", scheduler=self._presence.id)

    def stop(self) -> None:
        """End in order: what is being claimed or sent is finished, within the grace."""
        self.scheduler.stop()
        for courier in self._couriers:
            courier.stop()
        self._listener.stop()
        for thread in (self._emitter, *self._couriers, self._listener):
            thread.join(GRACE)
            if thread.is_alive():
                log.warning(
                    "A thread did not end in time; the next scheduler repairs what it left.",
                    action="scheduler_thread_left",
                    thread=thread.name,
                )
        try:
            if not self._redis.open:
                self._presence.leave()
        except (RedisError, OSError) as error:
            log.debug("The scheduler could not take its leave.", action="scheduler_left", error=str(error))
        self._broker.close()
        self._engine.dispose()
        log.info("The scheduler has ended.", action="scheduler_stopped", scheduler=self._presence.id)

    @property
    def alive(self) -> bool:
        """Whether all of its threads run."""
        return all(thread.is_alive() for thread in (self._emitter, *self._couriers, self._listener))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _backend_opened(self, connection: Any, _record: Any) -> None:
        self._own_backends.add(connection.info.backend_pid)

    def _backend_closed(self, connection: Any, _record: Any) -> None:
        self._own_backends.discard(connection.info.backend_pid)

    def _emit(self) -> None:
        self.scheduler.changed()
        self.scheduler.loop()

    def _hear(self, channel: str, pid: int) -> None:
        if channel == "callboard_outbox":
            # What this process puts into the outbox it sends by itself, and is busy with just now.
            if pid not in self._own_backends:
                self._courier.ask("outbox", "signals")
            return
        self.scheduler.changed()
        if channel == "callboard_control":
            self._courier.ask("switches")

    def _notices_changed(self, listening: bool) -> None:
        self.scheduler.listening = listening
        self.scheduler.changed()
        self._courier.ask("switches", "outbox", "signals")

    def _measure_clock(self) -> None:
        with self._engine.begin() as connection:
            offset = self.clock.measure(lambda: database_time(connection))
            host = platform.node()
            if abs(offset) > TOLERANCE and self.scheduler.tells:
                message = (
                    f"The clock of host {host} differs from the database's by {offset:+.1f} s;"
                    " schedules follow the database's."
                )
                if open_alert(connection, "clock_offset", host, message, offset_s=round(offset, 1)):
                    log.warning(message, action="clock_offset", seconds=round(offset, 1))
            elif abs(offset) <= TOLERANCE:
                resolve_alert(connection, "clock_offset", host)
                resolve_alert(connection, "clock_step", host, age_s=STEP_SHOWN)
        self._database.over()

    def _be_present(self) -> None:
        self._presence.beat()
        if self._redis.over():
            self._courier.ask("switches", "outbox", "signals")
        if self._memory.check() is not None:
            self._courier.ask("switches", "outbox")

    def _sync_switches(self) -> float:
        sync_switches(self._engine, self._client, self._keys)
        return SWITCHES_EVERY if self.scheduler.listening else SWITCHES_POLL

    def _send_signals(self) -> float:
        return 0.0 if send_signals(self._engine, self._client, self._keys) else RELAY_EVERY

    def _send_outbox(self) -> float:
        if self.relay.send(BATCH) >= BATCH:
            return 0.0
        with self._engine.begin() as connection:
            delayed = next_delayed(connection)
        pause = RELAY_EVERY if self.scheduler.listening else RELAY_POLL
        return pause if delayed is None else min(pause, self.clock.seconds_until(delayed))

    def _describe(self) -> dict[str, Any]:
        wake = self.scheduler.next_wake
        late = 0.0 if wake is None else max(0.0, (datetime.now(UTC) - wake).total_seconds())
        return {
            "schedules": len(self.scheduler.timetable),
            "next_due_at": None if wake is None else wake.isoformat(),
            "late_ms": round(late * 1000),
            "listening": self.scheduler.listening,
            "database": not self._database.open,
            "clock_offset_ms": round(self.clock.offset * 1000),
        }


@contextmanager
def _stop_signals() -> Iterator["SimpleQueue[str]"]:
    """The names of the signals to end, as they come; elsewhere than in the main thread none do."""
    # A SimpleQueue may be put to from a signal handler at any time; an Event might deadlock there.
    received: SimpleQueue[str] = SimpleQueue()
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def receive(number: int, _frame: FrameType | None) -> None:
        received.put(signal.Signals(number).name)

    before = {number: signal.signal(number, receive) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
