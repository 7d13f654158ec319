"""A recorder in a thread of the test, or as a process of its own."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import psycopg
import redis
from psycopg.rows import dict_row

from callboard.core.keys import Keys
from callboard.core.settings import Settings
from callboard.storage.engine import psycopg_url
from callboard.storage.recorder.process import Recorder
from helpers.waiting import wait_for
from helpers.workers import Event

TESTS = Path(__file__).parents[1]


@contextmanager
def recording(settings: Settings) -> Iterator[threading.Thread]:
    """A recorder in a thread."""
    stop = threading.Event()
    thread = threading.Thread(target=Recorder(settings, stop).run, daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive(), "the recorder does not end"


class RecorderProcess:
    """A recorder as `callboard recorder` runs it."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self.log = log
        environment = {
            **os.environ,
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "CALLBOARD_NAMESPACE": settings.callboard_namespace,
            "CALLBOARD_HOME": str(settings.home),
        }
        code = (
            "from callboard.core.settings import load_settings; from callboard.storage import recorder;"
            "recorder.run(load_settings())"
        )
        with log.open("ab") as output:
            self._popen = subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=output)

    @property
    def running(self) -> bool:
        """Whether it lives."""
        return self._popen.poll() is None

    def says(self, text: str) -> bool:
        """Whether its log contains that."""
        return text in self.log.read_text()

    def kill(self) -> None:
        """End it without letting it do anything more."""
        self._popen.send_signal(signal.SIGKILL)
        self._popen.wait()

    def terminate(self) -> int:
        """Ask it to end, and return its exit code."""
        self._popen.terminate()
        return self._popen.wait(15)


@contextmanager
def recorder_process(settings: Settings, log: Path) -> Iterator[RecorderProcess]:
    """A recorder in a process, ended afterwards."""
    process = RecorderProcess(settings, log)
    try:
        yield process
    finally:
        if process.running:
            process.kill()


def put(settings: Settings, *entries: list[Event] | bytes, ids: list[str] | None = None) -> None:
    """Put entries into the event stream, each with its events, or whatever else."""
    key = Keys(settings.callboard_namespace).events
    with redis.Redis.from_url(settings.redis_url) as client:
        for number, entry in enumerate(entries):
            content = entry if isinstance(entry, bytes) else orjson.dumps(entry)
            client.xadd(key, {"e": content}, id=ids[number] if ids else "*")


def select(settings: Settings, query: str, *parameters: Any) -> list[dict[str, Any]]:
    """The rows of a query."""
    with (
        psycopg.connect(psycopg_url(settings.database_url), options="-c timezone=UTC") as connection,
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        return list(cursor.execute(query, parameters).fetchall())


def wait_for_rows(
    settings: Settings, count: int, query: str, *parameters: Any, timeout: float = 15.0
) -> list[dict[str, Any]]:
    """The rows of a query, as soon as there are so many."""

    def found() -> list[dict[str, Any]] | None:
        rows = select(settings, query, *parameters)
        return rows if len(rows) >= count else None

    rows = wait_for(found, timeout, f"{count} rows of {query}")
    assert rows is not None
    return rows


def wait_until_read(settings: Settings, timeout: float = 15.0) -> None:
    """Wait until the recorder has read everything that is in the stream."""
    key = Keys(settings.callboard_namespace).events
    with redis.Redis.from_url(settings.redis_url) as client:
        wait_for(lambda: client.xlen(key) == 0, timeout, "the end of the stream")


FINISHED = "SELECT * FROM callboard.runs WHERE finished_at IS NOT NULL ORDER BY enqueued_at, run_id"
