"""Anomalies and collisions over HTTP."""

import json
import time
from datetime import UTC, datetime, timedelta

from helpers.declarations import declare, job
from helpers.rows import change


def test_a_missed_slot_is_listed_with_its_evidence(api, engine):
    declare(engine, job("mail", "*/5 * * * *"), job("other"))
    assert api.get("/api/anomalies").json() == {"anomalies": []}
    change(engine, "UPDATE callboard.schedules SET checked_until = now() - interval '31 min'")

    (found,) = api.get("/api/anomalies", params={"job": "mail", "kind": "missed"}).json()["anomalies"]

    assert (found["kind"], found["job"], found["severity"]) == ("missed", "mail", "critical")
    assert found["evidence"].endswith(".")
    assert datetime.fromisoformat(found["slot"]) > datetime.now(UTC) - timedelta(minutes=10)
    assert found["runId"] is None
    assert api.get("/api/anomalies?kind=duration").json() == {"anomalies": []}
    assert api.get("/api/anomalies?kind=odd").status_code == 422
    assert api.get("/api/anomalies?job=nobody").status_code == 404


def test_colliding_schedules_are_named_with_what_parts_them(api, engine, broker):
    declare(engine, job("one", "0 8 * * *"), job("two", "0 8 * * *"))
    broker.client.zadd(broker.keys.heartbeats, {"w1": time.time() * 1000})
    broker.client.hset(broker.keys.workers, "w1", json.dumps({"threads": 1, "queues": ["default"]}))

    (pool,) = api.get("/api/schedules/collisions").json()["pools"]

    assert (pool["queues"], pool["workers"], pool["threads"], pool["peak"]) == (["default"], 1, 1, 2)
    assert max(hour["peak"] for hour in pool["hours"]) == 2
    (found,) = pool["collisions"]
    assert (found["demand"], found["slots"], found["times"]) == (2, 1, 7)
    assert set(found["jobs"]) == {"one", "two"}
    assert (found["quieter"]["job"], found["quieter"]["minutes"]) == ("one", 1)
