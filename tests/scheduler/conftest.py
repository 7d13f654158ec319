"""A scheduler in the test's own thread, and whole ones in threads or processes of their own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from callboard.core.settings import Settings
from callboard.scheduler.clock import Clock
from callboard.scheduler.emitter import Scheduler
from callboard.scheduler.process import SchedulerProcess
from callboard.scheduler.relay import Relay

PROGRAM = """
from callboard.core.logging import configure_logging
from callboard.core.settings import load_settings
from callboard.scheduler.process import run
settings = load_settings()
configure_logging("scheduler", settings)
run(settings)
"""


@pytest.fixture
def relay(engine, broker) -> Relay:
    """A relay on the test's own servers."""
    return Relay(engine, broker)


@pytest.fixture
def scheduler(engine, relay) -> Scheduler:
    """A scheduler that does one round for each call of `schedule`."""
    return Scheduler(engine, relay, Clock())


@pytest.fixture
def start_scheduler(settings: Settings) -> Iterator[Callable[[], SchedulerProcess]]:
    """Starts schedulers in threads of this process; they are stopped at the end."""
    started: list[SchedulerProcess] = []

    def start() -> SchedulerProcess:
        process = SchedulerProcess(settings)
        process.start()
        started.append(process)
        return process

    yield start
    for process in started:
        if process.alive:
            process.stop()


@pytest.fixture
def spawn_scheduler(settings: Settings) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts schedulers as processes of their own; they are killed at the end."""
    spawned: list[subprocess.Popen[bytes]] = []

    def spawn() -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "CALLBOARD_NAMESPACE": settings.callboard_namespace,
            "CALLBOARD_HOME": str(settings.home),
        }
        child = subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment, stderr=subprocess.PIPE)
        spawned.append(child)
        return child

    yield spawn
    for child in spawned:
        if child.poll() is None:
            child.kill()
        child.communicate()
