"""The health check, on servers that are well, late, or not there."""

import json
import socket
import time
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis
from sqlalchemy import Engine, text

from callboard.core.keys import Keys

CHECKS = {"disk", "redis", "workers", "postgresql", "schedules", "outbox", "stream", "breakers"}


@pytest.fixture
def keys(namespace: str) -> Keys:
    return Keys(namespace)


@pytest.fixture
def check(surroundings: Any, redis_client: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the job, in a system with one live worker and room on its disk; changes to that are the test's."""
    from callboard.actors import probes

    monkeypatch.setattr(probes, "DISK_SHARE", 0.0)
    give_sign_of_life(redis_client, keys, "alive", seconds_ago=1)
    return surroundings.get_actor("health-check")


def give_sign_of_life(client: Redis, keys: Keys, worker: str, *, seconds_ago: float) -> None:
    seconds, _ = client.time()
    client.zadd(keys.heartbeats, {worker: (seconds - seconds_ago) * 1000})
    client.hset(keys.workers, worker, json.dumps({"pid": 4711, "host": "stage"}))


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def write(engine: Engine, statement: str, **values: Any) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement), values)


def read(engine: Engine, statement: str) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(statement)))


def test_a_healthy_system_is_found_healthy_and_the_uptime_log_says_so(check: Any, engine: Engine) -> None:
    result = check()

    assert result["status"] == "healthy", result
    assert (result["processed"], result["failed"], result["stored"]) == (len(CHECKS), 0, True)
    assert set(result["checks"]) == CHECKS
    ((status, duration_ms, checks),) = read(
        engine, "SELECT status, duration_ms, checks FROM callboard.uptime_checks"
    )
    assert status == "healthy"
    assert 0 <= duration_ms < 30_000
    assert checks == result["checks"]


@pytest.mark.parametrize(("age", "status"), [(1, "healthy"), (60, "degraded"), (3600, "down")])
def test_events_that_wait_for_the_recorder_are_seen(
    check: Any, engine: Engine, redis_client: Redis, keys: Keys, age: int, status: str
) -> None:
    # Given a stream of which one entry is recorded, and the next has waited for some time
    seconds, _ = redis_client.time()
    recorded, waiting = f"{(seconds - 7200) * 1000}-0", f"{(seconds - age) * 1000}-0"
    for entry in (recorded, waiting):
        redis_client.xadd(keys.events, {"e": "[]"}, id=entry)
    write(
        engine,
        "INSERT INTO callboard.stream_position (stream, last_id) VALUES (:stream, :id)",
        stream=keys.events,
        id=recorded,
    )

    finding = check()["checks"]["stream"]

    assert finding["status"] == status
    assert finding["value"] == pytest.approx(age, abs=3)


def test_a_stream_that_is_recorded_to_its_end_is_healthy_however_old(
    check: Any, engine: Engine, redis_client: Redis, keys: Keys
) -> None:
    redis_client.xadd(keys.events, {"e": "[]"}, id="5-0")
    write(
        engine,
        "INSERT INTO callboard.stream_position (stream, last_id) VALUES (:stream, '5-0')",
        stream=keys.events,
    )

    assert check()["checks"]["stream"]["status"] == "healthy"


@pytest.mark.parametrize(
    ("enabled", "age", "status"), [(True, 60, "degraded"), (True, 3600, "down"), (False, 3600, "healthy")]
)
def test_a_due_slot_that_no_scheduler_takes_is_seen_unless_its_job_is_off(
    check: Any, engine: Engine, enabled: bool, age: int, status: str
) -> None:
    write(engine, "INSERT INTO callboard.jobs (name, source) VALUES ('late', 'x')")
    write(
        engine,
        "INSERT INTO cron_job_config (job_name, enabled) VALUES ('late', :enabled)",
        enabled=enabled,
    )
    write(
        engine,
        "INSERT INTO callboard.schedules (job_name, key, expr, checked_until)"
        " VALUES ('late', 'code:1', '* * * * * *', now() - :age * interval '1 second')",
        age=age,
    )

    finding = check()["checks"]["schedules"]

    assert finding["status"] == status
    assert ("of late" in finding["detail"]) == enabled


@pytest.mark.parametrize(("age", "status"), [(0, "healthy"), (60, "degraded"), (3600, "down")])
def test_messages_that_stay_in_the_outbox_are_seen(check: Any, engine: Engine, age: int, status: str) -> None:
    write(
        engine,
        "INSERT INTO callboard.outbox (run_id, job_name, queue, message, created_at)"
        " VALUES (:id, 'j', 'default', '{}', now() - :age * interval '1 second')",
        id=uuid4(),
        age=age,
    )

    assert check()["checks"]["outbox"]["status"] == status


def test_a_message_that_is_to_be_sent_later_is_not_late(check: Any, engine: Engine) -> None:
    write(
        engine,
        "INSERT INTO callboard.outbox (run_id, job_name, queue, message, created_at, not_before)"
        " VALUES (:id, 'j', 'default', '{}', now() - interval '1 day', now() + interval '1 day')",
        id=uuid4(),
    )

    assert check()["checks"]["outbox"]["status"] == "healthy"


def test_a_worker_that_died_is_named(check: Any, redis_client: Redis, keys: Keys) -> None:
    give_sign_of_life(redis_client, keys, "dead", seconds_ago=60)

    finding = check()["checks"]["workers"]

    assert finding["status"] == "degraded"
    assert finding["value"] == 1
    assert "process 4711 on stage" in finding["detail"]


def test_a_worker_that_died_long_ago_is_no_longer_spoken_of(
    check: Any, redis_client: Redis, keys: Keys
) -> None:
    give_sign_of_life(redis_client, keys, "dead", seconds_ago=3600)

    assert check()["checks"]["workers"]["status"] == "healthy"


def test_a_system_without_a_live_worker_is_down(check: Any, redis_client: Redis, keys: Keys) -> None:
    redis_client.delete(keys.heartbeats)

    result = check()

    assert result["checks"]["workers"]["status"] == "down"
    assert result["status"] == "down"


@pytest.mark.parametrize(("share", "least", "status"), [(1.1, 0.0, "degraded"), (1.1, 1.1, "down")])
def test_a_disk_with_little_room_is_seen(
    check: Any, monkeypatch: pytest.MonkeyPatch, share: float, least: float, status: str
) -> None:
    from callboard.actors import probes

    monkeypatch.setattr(probes, "DISK_SHARE", share)
    monkeypatch.setattr(probes, "DISK_SHARE_LEAST", least)

    assert check()["checks"]["disk"]["status"] == status


def test_without_postgresql_the_system_is_down_and_the_rest_is_still_looked_at(
    check: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://eva:hunter2@127.0.0.1:{closed_port()}/none")

    begun = time.monotonic()
    result = check()

    assert time.monotonic() - begun < 10
    assert (result["status"], result["stored"]) == ("down", False)
    assert set(result["checks"]) == {"disk", "redis", "workers", "postgresql"}
    assert result["checks"]["redis"]["status"] == "healthy"
    assert "hunter2" not in json.dumps(result)


def test_without_redis_the_system_is_down_and_the_uptime_log_says_so(
    check: Any, surroundings: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surroundings, "url", f"redis://127.0.0.1:{closed_port()}/0")

    result = check()

    assert (result["status"], result["stored"]) == ("down", True)
    assert set(result["checks"]) == CHECKS - {"workers", "stream", "breakers"}
    assert read(engine, "SELECT status FROM callboard.uptime_checks") == [("down",)]


def test_a_finding_opens_one_alert_and_its_end_closes_it(
    check: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from callboard.actors import probes

    # Given a full disk, found by two checks
    monkeypatch.setattr(probes, "DISK_SHARE", 1.1)
    check()
    check()

    # Then there is one alert, open
    alerts = "SELECT subject, severity, resolved_at IS NULL FROM callboard.alerts"
    assert read(engine, alerts) == [("disk", "warning", True)]

    # And when there is room again, it is closed
    monkeypatch.setattr(probes, "DISK_SHARE", 0.0)
    check()
    assert read(engine, alerts) == [("disk", "warning", False)]
