"""Runs are retried, cancelled and exported over HTTP, many at once."""

import pytest

from callboard.storage.letters import requeued_id
from helpers.declarations import declare, job
from helpers.many_runs import add_runs, states


@pytest.fixture
def runs(engine):
    """Three failed runs and two that wait; their ids."""
    declare(engine, job("greet"), job("bulk-runs"))
    return [*add_runs(engine, 3), *add_runs(engine, 2, "pending")]


def test_some_are_retried_and_cancelled(api, engine, runs):
    ids = [str(run_id) for run_id in runs]
    dealt = api.post("/api/runs/selected/retry", json={"runIds": [ids[0], ids[3]]}).json()
    assert (dealt["done"], dealt["runs"]) == ([ids[0]], [str(requeued_id(runs[0]))])
    assert list(dealt["failed"]) == [ids[3]]
    body = {"runIds": ids[2:], "reason": "enough"}
    dealt = api.post("/api/runs/selected/cancel", json=body).json()
    assert (set(dealt["done"]), dealt["runs"]) == (set(ids[3:]), [])
    assert dealt["failed"] == {ids[2]: "it has ended already"}
    assert states(engine) == {"failed": 3, "pending": 1, "cancelled": 2}


def test_many_are_asked_for_once_looked_at_and_aborted(api, runs):
    body = {"what": "retry", "search": "state:failed job:greet since:2h"}
    first = api.post("/api/runs/bulk", json=body, headers={"Idempotency-Key": "once"})
    again = api.post("/api/runs/bulk", json=body, headers={"Idempotency-Key": "once"})
    other = api.post("/api/runs/bulk", json=body).json()
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (first.json()["new"], other["new"]) == (True, False)
    action = first.json()["action"]
    assert (action["what"], action["total"], action["filter"]["search"]) == ("retry", 3, body["search"])
    address = f"/api/runs/bulk/{action['id']}"
    assert api.get(address).json()["state"] == "queued"
    assert api.get(address.replace("runs", "dead-letters")).status_code == 404
    assert api.post(f"{address}/abort").json()["state"] == "aborted"
    assert api.post(f"{address}/abort").status_code == 409
    assert [each["state"] for each in api.get("/api/runs/bulk").json()["actions"]] == ["aborted"]
    assert api.get("/api/dead-letters/bulk").json()["actions"] == []


def test_runs_are_exported_as_csv(api, runs):
    answer = api.get("/api/runs/export", params={"q": "state:failed"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    lines = answer.text.split("\r\n")
    assert lines[0].startswith("run_id,job,queue,state,attempt,")
    assert [line.split(",")[0] for line in lines[1:-1]] == [str(run_id) for run_id in runs[:3]]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/api/runs/bulk", {"what": "eat", "search": ""}, 422),
        ("POST", "/api/runs/bulk", {"what": "retry"}, 422),
        ("POST", "/api/runs/bulk", {"what": "retry", "search": "nonsense"}, 400),
        ("POST", "/api/runs/bulk", {"what": "retry", "search": "job:nobody"}, 404),
        ("POST", "/api/runs/bulk", {"what": "retry", "search": "", "hours": 0}, 422),
        ("POST", "/api/runs/selected/retry", {"runIds": []}, 422),
        ("POST", "/api/runs/selected/cancel", {"runIds": ["0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d"]}, 404),
        ("GET", "/api/runs/export?q=state:odd", None, 400),
        ("GET", "/api/runs/bulk?cursor=x", None, 400),
    ],
)
def test_what_makes_no_sense_is_refused(api, runs, method, path, body, status):
    assert api.request(method, path, json=body).status_code == status
