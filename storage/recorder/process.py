"""The recorder process.

Any number may be started: one works, under an advisory lock of its database session, and the others stand by.
Reading in order by one makes the position in the stream, kept in PostgreSQL and written with the rows, the
only bookkeeping that exactly-once recording needs.
"""

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from callboard.core.keys import Keys
from callboard.core.logging import configure_logging, get_logger
from callboard.core.settings import Settings
from callboard.core.stopping import StopOrder
from callboard.storage.engine import NETWORK, SERVER_NETWORK, psycopg_url
from callboard.storage.partitions import ensure_partitions
from callboard.storage.presence import Beacon, Presence
from callboard.storage.recorder.batch import Batch
from callboard.storage.recorder.stream import START, Entry, EventStream
from callboard.storage.recorder.write import prepare, read_position, register_unknown, write, write_position

#: The least seconds from one batch to the next: under load, fewer and larger transactions.
INTERVAL = 0.05

#: Milliseconds to wait for an event.
BLOCK_MS = 500

#: Seconds between signs of life while there is nothing to record.
SIGN_OF_LIFE = 5.0

#: Seconds between looks at the partitions, and from one that others were in the way of to the next.
PARTITIONS = 3600.0
PARTITIONS_AGAIN = 60.0

#: Seconds before trying again after an error.
RETRY = 1.0

log = get_logger("callboard.recorder")


def run(settings: Settings) -> None:
    """Record until SIGTERM or SIGINT."""
    configure_logging("recorder", settings)
    stop = StopOrder()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    recorder = Recorder(settings, stop)
    with Beacon(recorder.presence):
        recorder.run()


class Recorder:
    """One recorder. It survives the loss of either server and goes on where it was."""

    def __init__(self, settings: Settings, stop: StopOrder | threading.Event) -> None:
        self._settings = settings
        self._stop = stop
        keys = Keys(settings.callboard_namespace)
        self._client = redis.Redis.from_url(
            settings.redis_url, retry=Retry(NoBackoff(), 0), socket_timeout=10, socket_connect_timeout=5
        )
        self._stream = EventStream(self._client, keys.events)
        self._known: set[str] = set()
        #: Whether it is the one that works.
        self.works = False
        self.presence = Presence(self._client, keys.processes, self._describe)

    def run(self) -> None:
        """Record until told to stop."""
        told = False
        while not self._stop.is_set():
            try:
                with self._connection() as connection:
                    if not self._lock(connection):
                        continue
                    log.info("Recording.", action="recorder_started", stream=self._stream.key)
                    told = False
                    self.works = True
                    self._record(connection)
            except (psycopg.OperationalError, redis.RedisError) as error:
                if not told:
                    log.warning(
                        "Recording waits for a server.", action="recorder_waits", error=str(error).strip()
                    )
                    told = True
                self.works = False
                self._stop.wait(RETRY)

    def _describe(self) -> dict[str, Any]:
        return {"part": "recorder", "works": self.works}

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[Any]]:
        connection = psycopg.connect(
            psycopg_url(self._settings.database_url),
            application_name="callboard recorder",
            options=f"-c timezone=UTC {SERVER_NETWORK}",
            connect_timeout=5,
            **NETWORK,
        )
        try:
            yield connection
        finally:
            connection.close()

    def _lock(self, connection: psycopg.Connection[Any]) -> bool:
        """Wait for the lock that makes this recorder the one that works. False: told to stop."""
        connection.autocommit = True
        waited = False
        while not self._stop.is_set():
            row = connection.execute(
                "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (f"recorder {self._stream.key}",)
            ).fetchone()
            if row is not None and row[0]:
                connection.autocommit = False
                return True
            if not waited:
                log.info("Another recorder works; standing by.", action="recorder_standby")
                waited = True
            self._stop.wait(RETRY)
        return False

    def _record(self, connection: psycopg.Connection[Any]) -> None:
        prepare(connection)
        position = read_position(connection, self._stream.key) or START
        position = self._checked(position)
        alive = look_at_partitions = -math.inf
        while not self._stop.is_set():
            begun = time.monotonic()
            if begun > look_at_partitions:
                made = ensure_partitions(connection)
                look_at_partitions = begun + (PARTITIONS_AGAIN if made is None else PARTITIONS)
            entries = self._stream.read(position, BLOCK_MS)
            if entries:
                self._write(connection, entries, position)
                position = entries[-1].id
                self._stream.forget(position)
                self._stop.wait(max(0.0, begun + INTERVAL - time.monotonic()))
            elif begun - alive > SIGN_OF_LIFE:
                alive = begun
                position = self._checked(position)
                write_position(connection, self._stream.key, position)

    def _checked(self, position: str) -> str:
        """The position, or the start where the stream has begun anew: Redis came back with less."""
        if not self._stream.is_behind(position):
            return position
        log.warning("The event stream has begun anew.", action="stream_reset", position=position)
        return START

    def _write(self, connection: psycopg.Connection[Any], entries: list[Entry], before: str) -> None:
        """Write entries that follow the position `before`."""
        try:
            self._write_entries(connection, entries, entries[-1].id)
        except Exception as error:
            if not is_fault_of_events(error):
                raise
            # One bad event must neither stop the recording nor take the good ones with it.
            for entry in entries:
                for event in entry.events:
                    self._write_event(connection, entry.id, event, before)
                write_position(connection, self._stream.key, entry.id)
                before = entry.id

    def _write_event(self, connection: psycopg.Connection[Any], entry: str, event: Any, before: str) -> None:
        try:
            self._write_entries(connection, [Entry(entry, [event])], before)
        except Exception as error:
            if not is_fault_of_events(error):
                raise
            log.error(
                "An event was refused.", action="event_refused", entry=entry, error=str(error), record=event
            )

    def _write_entries(
        self, connection: psycopg.Connection[Any], entries: list[Entry], position: str
    ) -> None:
        batch = Batch()
        for entry in entries:
            for event in entry.events:
                batch.add(event)
        unknown = {job: queue for job, queue in batch.jobs.items() if job not in self._known}
        if unknown:
            register_unknown(connection, unknown)
            self._known.update(unknown)
        counted = self._settings.cron_enable_metrics_collection
        told = self._settings.cron_enable_alert_notifications
        write(connection, batch, self._stream.key, position, counted=counted, told=told)


#: The classes of PostgreSQL's errors that what is written causes: cardinality, data, constraints, limits of a
#: row or an index, errors raised by triggers.
_CAUSED_BY_DATA = ("21", "22", "23", "54", "P0")


def is_fault_of_events(error: Exception) -> bool:
    """Whether an error comes from what the events say, so that trying again would not help."""
    if isinstance(error, psycopg.Error):
        return isinstance(error, psycopg.DataError) or (error.sqlstate or "")[:2] in _CAUSED_BY_DATA
    return isinstance(error, ArithmeticError | AttributeError | LookupError | TypeError | ValueError)
