"""Bad events, killed recorders, servers that go away: everything is recorded once, and nothing stops."""

import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from callboard.core.keys import Keys
from callboard.core.settings import Settings, load_settings
from callboard.storage.embedded import EmbeddedServers
from callboard.storage.migrate import migrate
from callboard.storage.recorder import process
from helpers.homes import short_folder
from helpers.lives import BASE, ended, event
from helpers.recorders import (
    FINISHED,
    put,
    recorder_process,
    recording,
    select,
    wait_for_rows,
    wait_until_read,
)
from helpers.waiting import wait_for
from helpers.workers import Event


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recorder that notices soon what happens."""
    monkeypatch.setattr(process, "BLOCK_MS", 50)
    monkeypatch.setattr(process, "SIGN_OF_LIFE", 0.2)
    monkeypatch.setattr(process, "RETRY", 0.2)


def good(job: str = "work", **fields: Any) -> Event:
    """A run that has succeeded."""
    return ended(event(str(uuid.uuid4()), job, **fields), "succeeded", 5)


BAD: dict[str, Any] = {
    "no object": 7,
    "none": None,
    "a list": [1],
    "an empty run": {"k": "run"},
    "an id that is no text": good() | {"id": 17},
    "a time that is text": good() | {"at": "yesterday"},
    "a time beyond all clocks": good() | {"at": 10**18},
    "a start beyond all clocks": good() | {"sta": -(10**18)},
    "a state that is none": good() | {"s": "finished"},
    "an attempt that is text": good() | {"n": "first"},
    "an execution that is no id": good() | {"x": "execution"},
    "an error of two parts": good() | {"s": "failed", "err": ["E", "e"]},
    "an error that is a number": good() | {"err": 5},
    "logs that are no list": good() | {"logs": 5},
    "a line of two parts": good() | {"logs": [[1, "info"]]},
    "a line of nothing": good() | {"logs": [[BASE, None, None]]},
    "a job that is none": good() | {"job": None},
    "a job that is an object": good() | {"job": {"name": "work"}},
    "a queue of many thousand signs": good()
    | {"q": "".join(str(uuid.uuid4()) for _ in range(3_000)), "job": "other"},
    "a duration of centuries": good() | {"ms": 10**17},
    "a lost message without a worker": {"k": "lost", "id": str(uuid.uuid4())},
    "a declaration of nothing": {"k": "jobs"},
    "a declaration of numbers": {"k": "jobs", "source": "x", "jobs": [1, 2]},
    "a declaration without names": {"k": "jobs", "source": "x", "jobs": [{"queue": "q"}]},
    "a name that is too long": {"k": "jobs", "source": "x", "jobs": [{"name": "x" * 101}]},
    "a schedule without an expression": {
        "k": "jobs",
        "source": "x",
        "jobs": [{"name": "x", "schedules": [{"key": "code:1"}]}],
    },
    "a note of an unknown run": {
        "k": "note",
        "id": str(uuid.uuid4()),
        "at": BASE,
        "n": 1,
        "prg": {"done": 1},
    },
    "a kind of the future": {"k": "telepathy"},
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_a_bad_event_is_refused_alone(settings: Settings, bad: Any) -> None:
    # Given a bad event among good ones, in one entry and beside others
    before, beside, after = good(), good(), good()
    with recording(settings) as thread:
        put(settings, [before], [bad, beside, bad], [after])

        # Then the good ones are recorded, each once, and the recorder goes on
        wait_until_read(settings)
        later = good()
        put(settings, [later])
        wait_until_read(settings)
        assert thread.is_alive()
    runs = {str(row["run_id"]) for row in select(settings, FINISHED)}
    assert {one["id"] for one in (before, beside, after, later)} <= runs
    (counted,) = select(
        settings, "SELECT sum(succeeded) AS n FROM callboard.rollups WHERE width_s = 60 AND job = 'work'"
    )
    assert counted["n"] == len(select(settings, "SELECT FROM callboard.runs WHERE job = 'work'"))


@pytest.mark.parametrize(
    "entry",
    [b"", b"no json", b"{}", b"7", b"null", b'"text"', b"[" * 100_000, b"\xff\xfe", b'[{"k":"run"'],
    ids=["empty", "no json", "an object", "a number", "null", "text", "depth", "bytes", "cut off"],
)
def test_an_entry_that_holds_no_events_is_passed_over(settings: Settings, entry: bytes) -> None:
    with recording(settings):
        put(settings, [good()], entry, [good()])
        wait_for_rows(settings, 2, FINISHED)
        wait_until_read(settings)


def test_an_entry_without_the_field_is_passed_over(settings: Settings) -> None:
    with redis.Redis.from_url(settings.redis_url) as client:
        client.xadd(Keys(settings.callboard_namespace).events, {"other": "field"})
    with recording(settings):
        put(settings, [good()])
        wait_for_rows(settings, 1, FINISHED)


def test_a_refused_event_stands_in_the_log(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    with recording(settings):
        put(settings, [good() | {"at": "yesterday"}])
        wait_for(lambda: "An event was refused" in caplog.text)


def load(settings: Settings, entries: int, each: int, stop: threading.Event) -> list[Event]:
    """Put many events into the stream, at the pace of a busy fleet; some runs have several."""
    told: list[Event] = []
    for _ in range(entries):
        if stop.is_set():
            break
        batch = []
        for number in range(each):
            begun = event(str(uuid.uuid4()), "work")
            if number % 10 == 0:
                batch.append(ended(begun, "pending", 5, err=["E", "e", "t"], rat=BASE + 100))
                begun = begun | {"n": 2, "x": str(uuid.uuid4()), "sta": BASE + 200}
            batch.append(ended(begun, "succeeded", 7, logs=[[BASE, "info", "line"]]))
        put(settings, batch)
        told += batch
        time.sleep(0.005)
    return told


def assert_all_recorded_once(settings: Settings, told: list[Event]) -> None:
    """Each run has its row, each attempt that failed its own, and the rollups add up to just that."""
    ends = [one for one in told if one["s"] == "succeeded"]
    retries = [one for one in told if one["s"] == "pending"]
    runs = select(settings, "SELECT run_id, state FROM callboard.runs")
    assert sorted(str(row["run_id"]) for row in runs) == sorted(one["id"] for one in ends)
    assert {row["state"] for row in runs} == {"succeeded"}
    for width in (60, 3_600, 86_400):
        (counted,) = select(
            settings,
            "SELECT sum(started) a, sum(succeeded) b, sum(retried) c, sum(duration_sum_ms) d"
            "  FROM callboard.rollups WHERE width_s = %s",
            width,
        )
        assert counted == {"a": len(ends), "b": len(ends), "c": len(retries), "d": 7 * len(ends)}, width
    (lines,) = select(settings, "SELECT count(*) AS n FROM callboard.log_lines")
    assert lines["n"] == len(ends)
    (attempts,) = select(settings, "SELECT count(*) AS n FROM callboard.attempts")
    assert attempts["n"] == 2 * len(retries)


def test_a_recorder_that_is_killed_again_and_again_neither_loses_nor_doubles(
    settings: Settings, tmp_path: Path
) -> None:
    # Given a busy stream
    stop, told = threading.Event(), []
    thread = threading.Thread(target=lambda: told.extend(load(settings, 600, 40, stop)))
    thread.start()

    # When its recorder is killed three times in the middle of it
    kills = 0
    try:
        for number in range(3):
            with recorder_process(settings, tmp_path / f"{number}.log") as recorder:
                seen = len(select(settings, "SELECT FROM callboard.runs"))
                wait_for(
                    lambda: len(select(settings, "SELECT FROM callboard.runs")) > seen + 200,  # noqa: B023
                    timeout=60,
                )
                recorder.kill()
                kills += 1
    finally:
        thread.join(30)
        stop.set()
    with recording(settings):
        wait_until_read(settings)

    # Then everything is there once
    assert kills == 3
    assert_all_recorded_once(settings, told)


def test_a_standby_takes_over_from_a_recorder_that_dies(settings: Settings, tmp_path: Path) -> None:
    # Given two recorders, of which one works
    with (
        recorder_process(settings, tmp_path / "first.log") as first,
        recorder_process(settings, tmp_path / "second.log") as second,
    ):
        wait_for(lambda: first.says("recorder_started") or second.says("recorder_started"))
        wait_for(lambda: first.says("recorder_standby") or second.says("recorder_standby"))
        working, waiting = (first, second) if first.says("recorder_started") else (second, first)
        assert not waiting.says("recorder_started")
        put(settings, [good()])
        wait_for_rows(settings, 1, FINISHED)

        # When that one is killed, then the other goes on
        working.kill()
        put(settings, [good()])
        wait_for_rows(settings, 2, FINISHED)
        assert waiting.says("recorder_started")


def test_a_recorder_ends_in_order_when_it_is_told_to(settings: Settings, tmp_path: Path) -> None:
    with recorder_process(settings, tmp_path / "log") as recorder:
        wait_for(lambda: recorder.says("recorder_started"))
        begun = time.monotonic()
        assert recorder.terminate() == 0
    assert time.monotonic() - begun < 15
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_two_recorders_at_once_record_everything_once(settings: Settings) -> None:
    told: list[Event] = []
    with recording(settings), recording(settings):
        told += load(settings, 50, 20, threading.Event())
        wait_until_read(settings)
    assert_all_recorded_once(settings, told)


def test_a_stream_that_begins_anew_is_read_from_its_start(settings: Settings) -> None:
    # Given a recorder that has come far
    key = Keys(settings.callboard_namespace).events
    with recording(settings), redis.Redis.from_url(settings.redis_url) as client:
        put(settings, [good()])
        wait_for_rows(settings, 1, FINISHED)
        wait_until_read(settings)

        # When Redis has lost everything, and counts from a clock that is behind, under its very eyes
        client.delete(key)
        put(settings, [good()], [good()], ids=["5-1", "5-2"])

        # Then it reads on
        wait_for_rows(settings, 3, FINISHED)

    # And so does the next one, had it happened while there was none
    with redis.Redis.from_url(settings.redis_url) as client:
        client.delete(key)
    put(settings, [good()], ids=["3-1"])
    with recording(settings):
        wait_for_rows(settings, 4, FINISHED)


def test_what_is_recorded_is_removed_from_the_stream_and_nothing_else(settings: Settings) -> None:
    with recording(settings):
        put(settings, *([good()] for _ in range(30)))
        wait_for_rows(settings, 30, FINISHED)
        wait_until_read(settings)
    put(settings, *([good()] for _ in range(3)))
    with redis.Redis.from_url(settings.redis_url) as client:
        assert client.xlen(Keys(settings.callboard_namespace).events) == 3


@pytest.fixture(scope="module")
def own_servers() -> Iterator[EmbeddedServers]:
    """A PostgreSQL and a Valkey that a test may stop."""
    with short_folder() as folder, EmbeddedServers(folder / "home") as servers:
        migrate(servers.database_url)
        yield servers


def test_events_wait_while_postgresql_is_away_and_are_recorded_once_when_it_is_back(
    own_servers: EmbeddedServers, namespace: str, tmp_path: Path
) -> None:
    # Given a recorder at work
    settings = load_settings(
        {
            "DATABASE_URL": own_servers.database_url,
            "REDIS_URL": own_servers.redis_url,
            "CALLBOARD_NAMESPACE": namespace,
            "CALLBOARD_HOME": str(tmp_path),
        }
    )
    assert own_servers.postgres is not None
    declaration = {"k": "jobs", "source": "tests", "jobs": [{"name": "work"}, {"name": "rest"}]}
    with recording(settings) as thread:
        told = load(settings, 50, 20, threading.Event())
        wait_for_rows(settings, 1, FINISHED)

        # When PostgreSQL is killed in the middle of it, and is away for a while
        loading = threading.Thread(target=lambda: told.extend(load(settings, 100, 20, threading.Event())))
        loading.start()
        time.sleep(0.2)
        own_servers.postgres.process._popen.kill()  # type: ignore[union-attr]
        loading.join()
        put(settings, [declaration])
        time.sleep(0.5)
        assert thread.is_alive()
        own_servers.revive()

        # Then the recorder goes on by itself
        wait_until_read(settings, timeout=30)
    assert_all_recorded_once(settings, told)
    assert len(select(settings, "SELECT FROM callboard.jobs WHERE declared")) == 2


def test_events_wait_while_redis_is_away(
    own_servers: EmbeddedServers, namespace: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = load_settings(
        {
            "DATABASE_URL": own_servers.database_url,
            "REDIS_URL": own_servers.redis_url,
            "CALLBOARD_NAMESPACE": namespace,
            "CALLBOARD_HOME": str(tmp_path),
        }
    )
    assert own_servers.valkey is not None
    count = "SELECT FROM callboard.runs WHERE job = 'redis'"
    with recording(settings) as thread:
        put(settings, [good("redis")])
        wait_for_rows(settings, 1, count)
        own_servers.valkey.process._popen.kill()  # type: ignore[union-attr]
        wait_for(lambda: "Recording waits for a server" in caplog.text)
        own_servers.revive()
        put(settings, [good("redis")])
        wait_for_rows(settings, 2, count)
        assert thread.is_alive()


def test_an_entry_in_the_making_is_not_lost_when_single_events_are_refused_midway(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a recorder that dies after it has written some events of an entry one by one
    entry = [good(), good() | {"at": "yesterday"}, good(), good()]
    written: list[Any] = []
    original = process.Recorder._write_event

    def die_midway(self: Any, *arguments: Any) -> None:
        original(self, *arguments)
        written.append(arguments[2])
        if len(written) == 3:
            raise redis.ConnectionError("the cable")

    monkeypatch.setattr(process.Recorder, "_write_event", die_midway)
    with recording(settings):
        put(settings, entry)
        wait_until_read(settings)

    # Then the whole entry is read again, and each of them counts once
    assert len(written) > 3
    assert len(select(settings, FINISHED)) == 3
    (counted,) = select(settings, "SELECT sum(succeeded) AS n FROM callboard.rollups WHERE width_s = 60")
    assert counted["n"] == 3
