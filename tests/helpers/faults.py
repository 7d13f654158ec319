"""Faults that are done to Callboard and, in the very same way, to plain Dramatiq with Periodiq.

A scenario is a function of a `Side`; it raises `Violation` where what was promised does not hold. The test of
ours calls it; that of the stock libraries requires that it is violated there, so that nothing passes by luck.
"""

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar
from uuid import uuid4

import psutil
import redis
from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker
from sqlalchemy import Engine

from callboard.core.keys import Keys
from callboard.core.settings import Settings
from callboard.middleware.broker import Broker
from callboard.storage.engine import make_engine
from helpers.declarations import declare
from helpers.declarations import job as declaration
from helpers.fault_slots import slot_of
from helpers.schedules import add_schedule, fetch
from helpers.waiting import wait_for
from helpers.worker_fleet import TESTS, Fleet
from helpers.workers import Event, events

T = TypeVar("T")

JOBS = "helpers.fault_jobs"


class Violation(AssertionError):
    """What was promised does not hold."""


def require(condition: object, what: str) -> None:
    """Raise Violation where it does not hold."""
    if not condition:
        raise Violation(what)


def require_soon(condition: Callable[[], T], seconds: float, what: str) -> T:
    """What the condition answers, as soon as it is true; Violation after so many seconds."""
    try:
        return wait_for(condition, seconds)
    except Violation:
        raise
    except AssertionError:
        raise Violation(f"{what} (within {seconds:g} s)") from None


@dataclass(frozen=True, slots=True)
class Note:
    """What a job has noted; `at` and `slot` are in s since the epoch, the latter 0 where there is none."""

    what: str
    name: str
    pid: int
    attempt: int
    slot: int
    at: float


def require_each_once(ran: list[int], first: int, last: int) -> None:
    """Raise Violation where a slot of each second from the first to the last did not run, or ran twice."""
    counted = Counter(ran)
    lost = [slot - first for slot in range(first, last + 1) if slot not in counted]
    require(not lost, f"of the slots of {last - first + 1} seconds, these were lost: {lost}")
    doubled = [slot - first for slot, times in counted.items() if times > 1]
    require(not doubled, f"of the slots of {last - first + 1} seconds, these ran twice: {doubled}")


@dataclass(frozen=True, slots=True)
class Scale:
    """How far the timeouts are scaled down; all in ms but the last two.

    Attributes:
        heartbeat: the silence after which a worker counts as dead (ours: 15 s, stock: 60 s).
        lease: for how long a mutex outlives its holder (15 s), which ours renews.
        ttl: the same of a stock limiter (15 min), which nobody renews.
        skip_delay: after how many s Periodiq drops a cron run (30 s).
        luck: of how many of a million commands stock Dramatiq does maintenance.
    """

    heartbeat: int = 2_000
    lease: int = 1_000
    ttl: int = 60_000
    skip_delay: int = 1
    luck: int = 1_000


class Supervised:
    """A process that is started again whenever it ends, as every service manager does."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self._command, self._environment, self._log = command, environment, log
        self._ending = threading.Event()
        #: How often it has been started.
        self.starts = 0
        self.process = self._start()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _start(self) -> "subprocess.Popen[bytes]":
        self.starts += 1
        with self._log.open("ab") as output:
            return subprocess.Popen(
                self._command, env=self._environment, stdout=output, stderr=output, cwd=TESTS.parent
            )

    def _watch(self) -> None:
        while not self._ending.wait(0.1):
            if self.process.poll() is not None:
                self.process = self._start()

    def terminate(self, timeout: float = 20.0) -> None:
        """Ask it to end, and wait until it has."""
        self._ending.set()
        self._thread.join()
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout)

    def close(self) -> None:
        """End it, and whatever it has started."""
        self._ending.set()
        self._thread.join()
        if self.process.poll() is None:
            children = psutil.Process(self.process.pid).children(recursive=True)
            self.process.kill()
            self.process.wait()
            for child in children:
                if child.is_running():
                    child.kill()
            psutil.wait_procs(children, 5)


class Side:
    """Callboard, or plain Dramatiq with Periodiq, on the servers that the settings name."""

    def __init__(
        self, kind: Literal["ours", "stock"], settings: Settings, folder: Path, scale: Scale | None = None
    ) -> None:
        self.ours = kind == "ours"
        self.settings = settings.model_copy(
            update={"callboard_namespace": f"{settings.callboard_namespace}-{uuid4().hex[:8]}"}
        )
        self.namespace = self.settings.callboard_namespace
        self.keys = Keys(self.namespace)
        self.scale = scale or Scale()
        self._folder = folder
        self._notes = folder / f"{self.namespace}.notes"
        url = settings.redis_url
        self.broker: Any = (
            Broker(url=url, namespace=self.namespace)
            if self.ours
            else RedisBroker(url=url, namespace=self.namespace, middleware=[])
        )
        self.client: Any = redis.Redis.from_url(url)
        self.environment = {
            **os.environ,
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": url,
            "CALLBOARD_NAMESPACE": self.namespace,
            "CALLBOARD_HOME": str(settings.home),
            "CALLBOARD_ACTORS": JOBS,
            "PYTHONPATH": str(TESTS),
            "dramatiq_restart_delay": "300",
            "FAULT_SIDE": kind,
            "FAULT_NOTES": str(self._notes),
            "FAULT_HEARTBEAT": str(self.scale.heartbeat),
            "FAULT_TTL": str(self.scale.ttl),
            "FAULT_SKIP_DELAY": str(self.scale.skip_delay),
            "FAULT_LUCK": str(self.scale.luck),
        }

    @cached_property
    def engine(self) -> Engine:
        """An engine on the database; only ours has something in there."""
        return make_engine(self.settings.database_url)

    def close(self) -> None:
        """Close its connections."""
        if "engine" in vars(self):
            self.engine.dispose()
        self.client.close()
        self.broker.close()

    def send(self, actor: str, *args: object, delay: int | None = None, **options: Any) -> Message[Any]:
        """Send a job, as an application does."""
        message: Message[Any] = Message("default", actor, args, {}, options)
        sent: Message[Any] = self.broker.enqueue(message, delay=delay)
        return sent

    def notes(self, what: str | None = None, name: str | None = None) -> list[Note]:
        """What the jobs have noted, the earliest first."""
        if not self._notes.exists():
            return []
        lines = self._notes.read_text().splitlines()
        found = [Note(**json.loads(line)) for line in lines]
        return [one for one in found if what in (None, one.what) and name in (None, one.name)]

    def begun(self, name: str, times: int = 1, timeout: float = 30.0) -> Note:
        """The note of the beginning of a job, the so many-th."""
        return wait_for(lambda: self.notes("begin", name)[times - 1 :], timeout, f"{name} number {times}")[0]

    def dead_letters(self) -> list[bytes]:
        """The payloads of the dead letters."""
        return list(self.client.hvals(self.keys.dead_messages("default")))

    def decode(self, payload: bytes) -> Message[Any]:
        """The message of a payload."""
        decoded: Message[Any] = Message.decode(payload)
        return decoded

    def events(self, kind: str) -> list[Event]:
        """What our workers have written to the event stream, the earliest first."""
        return events(self.broker, kind)

    def waiting_slots(self) -> list[int]:
        """The slots whose messages lie in the queue, the earliest first."""
        payloads = self.client.hvals(self.keys.messages("default"))
        return sorted(filter(None, (slot_of(self.decode(payload).options) for payload in payloads)))

    def left_over(self) -> int:
        """How many messages wait, are delayed, or are worked on."""
        return sum(int(self.client.hlen(self.keys.messages(queue))) for queue in ("default", "default.DQ"))

    @contextmanager
    def fleet(self, processes: int = 1, threads: int = 1, grace_s: float = 5.0) -> Iterator[list[Any]]:
        """Worker processes, each restarted when it dies. Yields what may be asked to `terminate()`."""
        started: list[Any] = []
        log = self._folder / f"{self.namespace}.log"
        try:
            if self.ours:
                started.append(self._our_fleet(log, processes, threads, grace_s))
            else:
                arguments = ["--processes", "1", "--threads", str(threads)]
                grace = ["--worker-shutdown-timeout", str(int(grace_s * 1000))]
                command = [sys.executable, "-m", "dramatiq", JOBS, *arguments, *grace]
                started += [Supervised(command, self.environment, log) for _ in range(processes)]
            wait_for(lambda: self._alive() >= processes, 30, f"{processes} workers")
            yield started
        finally:
            for one in started:
                one.close()

    def _our_fleet(self, log: Path, processes: int, threads: int, grace_s: float) -> Fleet:
        return Fleet(
            self.settings,
            log,
            actors=JOBS,
            environment=self.environment,
            processes=processes,
            threads=threads,
            grace_s=grace_s,
            heartbeat_timeout=self.scale.heartbeat,
            round=0.2,
            lease=self.scale.lease,
        )

    def _alive(self) -> int:
        """How many workers have given a sign of life of late."""
        seconds, _ = self.client.time()
        return int(self.client.zcount(self.keys.heartbeats, (seconds - 2) * 1000, "+inf"))

    def lives(self, started: list[Any]) -> list[Any]:
        """What changes when a worker process of a fleet ends: of ours who lives, of stock ones how often."""
        return sorted(started[0].alive()) if self.ours else [one.starts for one in started]

    def schedule(self, job: str = "slot") -> None:
        """Have a job run every second; to Periodiq, the code says so."""
        if self.ours:
            declare(self.engine, declaration(job))
            add_schedule(self.engine, job, "* * * * * *")

    def unsent(self) -> int:
        """How many messages wait in our outbox."""
        return int(fetch(self.engine, "SELECT count(*) FROM callboard.outbox")[0]) if self.ours else 0

    @contextmanager
    def scheduler(self) -> Iterator[Supervised]:
        """A scheduler's process: ours, or Periodiq's for the jobs that are declared as periodic."""
        if self.ours:
            command = [sys.executable, "-m", "callboard.control.processes", "scheduler"]
        else:
            command = [sys.executable, "-c", "import periodiq; periodiq.entrypoint()", JOBS]
        made = Supervised(command, self.environment, self._folder / f"{self.namespace}.scheduler.log")
        try:
            yield made
        finally:
            made.close()
