"""`callboard limits` and `callboard queues drain`."""

import json
import time
from typing import Any

import pytest
from sqlalchemy import Engine

from callboard.core.keys import Keys
from callboard.core.settings import Settings
from helpers.declarations import audit, declare, job

RUN = "0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d"


@pytest.fixture
def keys(settings: Settings) -> Keys:
    return Keys(settings.callboard_namespace)


def test_a_limit_is_listed_with_its_holders_and_its_minute_begins_anew(
    run: Any, installed: Engine, redis_client: Any, keys: Keys
) -> None:
    assert run("limits", "list").err == "No limit is in use: jobs name theirs by the option limit.\n"
    declare(
        installed,
        job("sync", options={"limit": {"key": "tenant:{tenant}", "concurrent": 4, "per_minute": 9}}),
    )
    now = int(time.time())
    redis_client.zadd(keys.slots("tenant:7"), {f"{RUN}:x": (now + 600) * 1000})
    redis_client.hset(keys.rate("tenant:7"), str(now), 5)

    shown = run("limits", "list").out
    (found,) = json.loads(run("limits", "list", "--json").out)["limits"]
    said = run("limits", "reset", "tenant:7").out

    for words in ("tenant:7", "1 of 4", "5 of 9", "sync"):
        assert words in shown
    assert (found["key"], found["running"], found["begun"], found["holders"]) == ("tenant:7", 1, 5, [RUN])
    assert said == "The minute of tenant:7 begins anew; 5 had begun in it.\n"
    assert "0 of 9" in run("limits", "list").out
    assert [(row["action"], row["target"]) for row in audit(installed)] == [("reset_limit", "tenant:7")]


def test_a_limit_that_nobody_holds_is_refused_in_a_sentence(run: Any, installed: Engine) -> None:
    done = run("limits", "reset", "tenant:9")

    assert (done.code, done.out) == (1, "")
    assert done.err == "There is no limit 'tenant:9' that a run holds or waits for.\n"


def test_a_queue_is_drained_once_nothing_of_it_is_under_way(
    run: Any, installed: Engine, redis_client: Any, keys: Keys
) -> None:
    redis_client.zadd(keys.heartbeats, {"w": time.time() * 1000})
    redis_client.sadd(keys.acks("w", "default"), "m")

    busy = run("queues", "drain", "default", "--reason", "upgrade", "--timeout", "0")
    redis_client.delete(keys.acks("w", "default"))
    idle = run("queues", "drain", "default", "--reason", "upgrade")

    assert (busy.code, busy.out) == (1, "")
    assert busy.err == "The queue default is paused, and 1 run is still under way after 0 s.\n"
    assert (idle.code, idle.out) == (0, "The queue default is drained; 0 wait until it is resumed.\n")
    assert "The queue default is paused by" in run("queues", "list").out
    answer = json.loads(run("queues", "drain", "default", "-r", "upgrade", "--json").out)
    assert (answer["drained"], answer["left"], answer["queue"]["name"]) == (True, 0, "default")


def test_a_queue_that_there_is_not_is_drained_of_nothing(run: Any, installed: Engine) -> None:
    done = run("queues", "drain", "nowhere", "--reason", "upgrade")

    assert (done.code, done.out) == (1, "")
    assert "There is no queue 'nowhere'" in done.err
