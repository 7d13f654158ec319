"""Pausing, cancelling, retrying and breakers over HTTP."""

from uuid import uuid4

import pytest

from helpers.declarations import declare, job


@pytest.fixture
def known(engine):
    declare(engine, job("greet"), job("wave", queue="second"))


def test_queues_jobs_and_everything_are_paused_and_resumed(api, known):
    body = {"reason": "maintenance"}
    for path, scope, name in (
        ("", "all", ""),
        ("/queues/default", "queue", "default"),
        ("/jobs/wave", "job", "wave"),
    ):
        first = api.post(f"/api{path}/pause", json=body)
        assert first.status_code == 200
        assert (first.json()["pause"]["scope"], first.json()["pause"]["name"]) == (scope, name)
        assert (first.json()["new"], api.post(f"/api{path}/pause", json=body).json()["new"]) == (True, False)
    assert len(api.get("/api/pauses").json()["pauses"]) == 3
    assert {each["name"]: each["pause"]["scope"] for each in api.get("/api/queues").json()["queues"]} == {
        "default": "all",
        "second": "all",
    }
    for path in ("", "/queues/default", "/jobs/wave"):
        assert api.post(f"/api{path}/resume").json()["changed"] is True
        assert api.post(f"/api{path}/resume").json()["changed"] is False
    assert api.get("/api/pauses").json() == {"pauses": []}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/pause", {}, 422),
        ("/api/pause", {"reason": ""}, 422),
        ("/api/pause", {"reason": "  "}, 400),
        ("/api/pause", {"reason": "x", "cancelrunning": True}, 422),
        ("/api/queues/nowhere/pause", {"reason": "x"}, 404),
        ("/api/jobs/nobody/pause", {"reason": "x"}, 404),
    ],
)
def test_what_cannot_be_paused_is_refused_in_one_sentence(api, known, path, body, status):
    answer = api.post(path, json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert api.get("/api/pauses").json() == {"pauses": []}


def test_a_run_is_listed_cancelled_and_done_again(api, engine, known):
    from callboard.storage.queries.switches import request_run

    with engine.begin() as connection:
        run_id = request_run(connection, "greet", args=[1], kwargs={}, by="ada", trigger="manual")
    (listed,) = api.get("/api/runs", params={"state": "pending", "job": "greet"}).json()["runs"]
    assert (listed["id"], listed["state"]) == (str(run_id), "pending")

    cancelled = api.post(f"/api/runs/{run_id}/cancel", json={"reason": "no"})
    assert cancelled.json() == {"runId": str(run_id), "job": "greet", "was": "pending"}
    assert api.post(f"/api/runs/{run_id}/cancel").status_code == 409
    shown = api.get(f"/api/runs/{run_id}").json()
    assert (shown["state"], shown["reason"].endswith(": no")) == ("cancelled", True)

    again = api.post(f"/api/runs/{run_id}/retry").json()
    assert (again["of"], again["job"]) == (str(run_id), "greet")
    assert api.get(f"/api/runs/{again['runId']}").json()["retryOf"] == str(run_id)
    assert api.get(f"/api/runs/{run_id}").json()["retriedAs"] == again["runId"]
    assert api.post(f"/api/runs/{run_id}/retry").status_code == 409
    assert api.post(f"/api/runs/{uuid4()}/retry").status_code == 404


def test_pages_of_runs_follow_each_other(api, engine, known):
    from callboard.storage.queries.switches import request_run

    with engine.begin() as connection:
        made = [
            str(request_run(connection, "greet", args=[n], kwargs={}, by="ada", trigger="manual"))
            for n in range(5)
        ]
    found, cursor = [], None
    while True:
        page = api.get("/api/runs", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        found += [each["id"] for each in page["runs"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert sorted(found) == sorted(made)
    assert api.get("/api/runs", params={"cursor": "nonsense"}).status_code == 400
    assert api.get("/api/runs", params={"state": "done"}).status_code == 400


def test_breakers_are_listed_and_closed(api, settings):
    from callboard.control.context import Context

    with Context(settings) as context:
        keys = context.keys
        context.redis.sadd(keys.breakers, "mail")
        context.redis.hset(
            keys.breaker("mail"), mapping={"state": "open", "cause": "down", "opened_at": 1, "until": 2}
        )
    (found,) = api.get("/api/breakers").json()["breakers"]
    assert (found["name"], found["state"], found["cause"]) == ("mail", "open", "down")
    assert api.post("/api/breakers/mail/reset").json() == {"name": "mail", "was": "open"}
    assert api.get("/api/breakers").json()["breakers"][0]["state"] == "closed"
    assert api.post("/api/breakers/other/reset").status_code == 404
    assert api.get("/api/breakers/changes").json() == {"changes": [], "nextCursor": None}
