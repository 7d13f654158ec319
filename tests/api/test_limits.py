"""Queues drained, limits listed and reset, figures scraped."""

import re
import time

import pytest

from callboard.storage.alerts import open_alert
from helpers.declarations import audit, declare, job, log_execution
from helpers.runs import NOW

RUN = "0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d"


@pytest.fixture
def known(engine):
    declare(
        engine, job("sync", options={"limit": {"key": "tenant:{tenant}", "concurrent": 4, "per_minute": 9}})
    )


def test_a_limit_in_use_is_listed_with_its_holders_and_its_minute_begins_anew(
    api, engine, known, redis_client, namespace
):
    now = int(time.time())
    redis_client.zadd(f"{namespace}:__slots__.tenant:7", {f"{RUN}:x": (now + 600) * 1000})
    redis_client.hset(f"{namespace}:__rate__.tenant:7", str(now), 5)

    (found,) = api.get("/api/limits").json()["limits"]

    assert (found["key"], found["concurrent"], found["perMinute"], found["jobs"]) == (
        "tenant:7",
        4,
        9,
        ["sync"],
    )
    assert (found["running"], found["begun"], found["waiting"], found["holders"]) == (1, 5, 0, [RUN])
    assert api.post("/api/limits/tenant:7/reset").json() == {"key": "tenant:7", "begun": 5}
    (after,) = api.get("/api/limits").json()["limits"]
    assert (after["running"], after["begun"]) == (1, 0)
    assert api.post("/api/limits/other/reset").status_code == 404
    assert [row["outcome"] for row in audit(engine)] == ["done", "refused"]


def test_a_queue_is_drained_when_nothing_of_it_is_under_way(api, known, redis_client, namespace):
    body = {"reason": "upgrade"}
    redis_client.zadd(f"{namespace}:__heartbeats__", {"w": time.time() * 1000})
    redis_client.sadd(f"{namespace}:__acks__.w.default", "m")

    busy = api.post("/api/queues/default/drain", json=body, params={"wait": 0})
    redis_client.delete(f"{namespace}:__acks__.w.default")
    idle = api.post("/api/queues/default/drain", json=body)

    assert (busy.status_code, busy.json()["drained"], busy.json()["left"]) == (202, False, 1)
    assert (idle.status_code, idle.json()["drained"], idle.json()["left"]) == (200, True, 0)
    assert api.get("/api/queues/default").json()["pause"]["reason"] == "upgrade"
    assert api.post("/api/queues/nowhere/drain", json=body).status_code == 404


def test_figures_are_scraped_in_the_format_of_prometheus(api, engine, known):
    with engine.begin() as connection:
        log_execution(connection, "sync", NOW, ms=1500)
        open_alert(connection, "health", "disk", "Full.", severity="critical")

    answer = api.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    for line in answer.text.splitlines():
        assert re.fullmatch(
            r'# (HELP|TYPE) callboard_\w+ .+|callboard_\w+(\{(\w+="[^"]*",?)+\})? \S+', line
        ), line
    assert 'callboard_runs_total{job="sync",outcome="succeeded"} 1\n' in answer.text
    assert 'callboard_queue_messages{queue="default",state="waiting"} 0\n' in answer.text
    assert 'callboard_open_alerts{kind="health",severity="critical"} 1\n' in answer.text
    assert "callboard_recorder_lag_seconds 0\n" in answer.text
