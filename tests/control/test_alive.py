"""What a container's health check hears of the part that runs in it."""

import json
import platform
import socket
from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine, text

from callboard.control.alive import is_alive, main
from callboard.core.keys import Keys
from callboard.core.settings import Settings
from callboard.storage.presence import Presence

HERE = platform.node()


@pytest.fixture
def keys(namespace: str) -> Keys:
    return Keys(namespace)


@pytest.fixture
def beat(redis_client: Redis, keys: Keys) -> Callable[..., None]:
    """A worker's sign of life, so many seconds ago."""

    def give(worker: str, host: str, *, seconds_ago: int) -> None:
        seconds: int = redis_client.time()[0]  # type: ignore[index]
        redis_client.zadd(keys.heartbeats, {worker: (seconds - seconds_ago) * 1000})
        redis_client.hset(keys.workers, worker, json.dumps({"host": host, "pid": 1}))

    return give


def test_a_worker_is_alive_while_it_gives_signs_of_life(
    settings: Settings, beat: Callable[..., None]
) -> None:
    assert not is_alive("worker", settings)

    beat("w", HERE, seconds_ago=2)

    assert is_alive("worker", settings)


def test_a_worker_that_is_silent_for_long_is_not(settings: Settings, beat: Callable[..., None]) -> None:
    beat("w", HERE, seconds_ago=45)

    assert not is_alive("worker", settings)


def test_a_worker_on_another_host_says_nothing_of_this_one(
    settings: Settings, beat: Callable[..., None]
) -> None:
    beat("w", "elsewhere", seconds_ago=2)

    assert not is_alive("worker", settings)


def test_a_scheduler_is_alive_until_it_has_left(settings: Settings, redis_client: Redis, keys: Keys) -> None:
    presence = Presence(redis_client, keys.schedulers, dict)
    assert not is_alive("scheduler", settings)

    presence.beat()
    assert is_alive("scheduler", settings)

    presence.leave()
    assert not is_alive("scheduler", settings)


@pytest.mark.parametrize(("silence_s", "alive"), [(5, True), (120, False)])
def test_a_recorder_is_alive_while_one_writes_its_position(
    settings: Settings, engine: Engine, keys: Keys, silence_s: int, alive: bool
) -> None:
    assert not is_alive("recorder", settings)
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO callboard.stream_position (stream, last_id, updated_at)"
                " VALUES (:stream, '1-0', now() - :silence * interval '1 second')"
            ),
            {"stream": keys.events, "silence": silence_s},
        )

    assert is_alive("recorder", settings) is alive


def test_what_cannot_be_asked_is_not_alive_and_one_sentence_says_why(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    for name, value in _environment(settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{port}/0")
    monkeypatch.setenv("CALLBOARD_API_PORT", str(port))

    assert main(["worker"]) == 1
    assert main(["api"]) == 1

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all("cannot be told" in line for line in lines)


def test_a_part_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["orchestra"]) == 2
    assert main([]) == 2
    assert "worker, scheduler, recorder, api, panel" in capsys.readouterr().err


def _environment(settings: Settings) -> dict[str, Any]:
    return {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "CALLBOARD_NAMESPACE": settings.callboard_namespace,
        "CALLBOARD_HOME": str(settings.home),
    }
