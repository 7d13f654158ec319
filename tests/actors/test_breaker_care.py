"""What the health check does for circuit breakers, and for the alerts that stand for them."""

import json
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine, text

from callboard.core.keys import Keys
from callboard.storage.alerts import open_alert
from helpers.declarations import declare, job

ALERTS = "SELECT subject, message, resolved_at IS NULL FROM callboard.alerts WHERE kind = 'breaker_open'"


@pytest.fixture
def keys(namespace: str) -> Keys:
    return Keys(namespace)


@pytest.fixture
def check(surroundings: Any, engine: Engine) -> Any:
    """What the health check says of breakers, in a system with a job that names the breaker mail."""
    declare(engine, job("send", options={"breaker": "mail"}))
    return lambda: surroundings.get_actor("health-check")()["checks"]["breakers"]


def open_breaker(client: Redis, keys: Keys, name: str, *, seconds_ago: float) -> None:
    seconds, _ = client.time()
    opened_at = (seconds - seconds_ago) * 1000
    client.sadd(keys.breakers, name)
    client.hset(keys.breaker(name), mapping={"state": "open", "cause": "down", "opened_at": opened_at})


def alerts(engine: Engine) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(f"{ALERTS} ORDER BY id"))]


def age(engine: Engine, seconds: int) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE callboard.alerts SET opened_at = opened_at - :s * interval '1 s'"), {"s": seconds}
        )


def test_an_open_breaker_degrades_the_system_and_has_one_alert(
    check: Any, engine: Engine, redis_client: Redis, keys: Keys
) -> None:
    open_breaker(redis_client, keys, "mail", seconds_ago=90)

    first, second = check(), check()

    assert first == second
    assert (first["status"], first["value"]) == ("degraded", 1)
    assert first["detail"] == "The breaker mail is open: down."
    assert alerts(engine) == [("mail", "The breaker mail is open: down.", True)]


def test_one_that_has_just_opened_is_left_to_the_recorder(
    check: Any, engine: Engine, redis_client: Redis, keys: Keys
) -> None:
    open_breaker(redis_client, keys, "mail", seconds_ago=1)

    assert check()["status"] == "degraded"
    assert alerts(engine) == []


def test_no_alert_is_opened_where_the_settings_switch_them_off(
    check: Any, engine: Engine, redis_client: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRON_ENABLE_ALERT_NOTIFICATIONS", "false")
    open_breaker(redis_client, keys, "mail", seconds_ago=90)

    assert check()["status"] == "degraded"
    assert alerts(engine) == []


def test_an_alert_whose_breaker_is_open_no_more_is_closed(check: Any, engine: Engine) -> None:
    with engine.begin() as connection:
        open_alert(connection, "breaker_open", "mail", "The breaker mail is open: down.")

    check()
    assert alerts(engine)[0][2], "its end may be on the way to the recorder"
    age(engine, 61)

    assert check()["status"] == "healthy"
    assert not alerts(engine)[0][2]


def test_a_breaker_that_no_job_names_is_closed(
    check: Any, engine: Engine, redis_client: Redis, keys: Keys
) -> None:
    open_breaker(redis_client, keys, "gone", seconds_ago=90)

    assert check()["status"] == "healthy"

    assert not redis_client.exists(keys.breaker("gone"))
    ((_, entry),) = redis_client.xrange(keys.events)
    (change,) = json.loads(entry[b"e"])
    assert (change["name"], change["from"], change["to"]) == ("gone", "open", "closed")
    assert change["cause"] == "no job names it any more"
