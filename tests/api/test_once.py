"""The same key is the same request: done once, answered the same."""

import threading

import httpx
import pytest

from helpers.declarations import audit, declare, job, run_ids
from helpers.serving import serving

KEY = {"Idempotency-Key": "k-1"}
NEW = {"job": "greet", "expr": "0 8 * * *"}


@pytest.fixture
def known(engine):
    declare(engine, job("greet"), job("wave"))


def test_a_schedule_asked_for_twice_with_one_key_is_made_once(api, known):
    first = api.post("/api/schedules", json=NEW, headers=KEY)
    second = api.post("/api/schedules", json=NEW, headers=KEY)

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second.headers["etag"] == first.headers["etag"]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert len(api.get("/api/schedules").json()["schedules"]) == 1
    assert api.post("/api/schedules", json=NEW, headers={"Idempotency-Key": "k-2"}).json() != first.json()


def test_a_key_belongs_to_its_request_and_its_caller(api, api_as, engine, known):
    api.post("/api/schedules", json=NEW, headers=KEY)

    other = api.post("/api/schedules", json=NEW | {"expr": "@daily"}, headers=KEY)
    elsewhere = api.post("/api/pause", json={"reason": "x"}, headers=KEY)
    somebody = api_as("operator").post("/api/schedules", json=NEW, headers=KEY)

    assert (other.status_code, elsewhere.status_code, somebody.status_code) == (422, 422, 201)
    assert "belongs to another request" in other.json()["detail"]
    assert api.get("/api/pauses").json() == {"pauses": []}


@pytest.mark.parametrize("path", ["/api/admin/cron-jobs/greet/run", "/api/cron/execute/greet?wait=0"])
def test_a_job_run_twice_with_one_key_is_one_run(api, engine, known, path):
    answers = [api.post(path, headers=KEY).json() for _ in range(2)]
    other = api.post("/api/admin/cron-jobs/wave/run", headers=KEY)

    assert answers[0]["runId"] == answers[1]["runId"]
    assert len(run_ids(engine, "greet")) == 1
    assert other.status_code == 200
    assert len(run_ids(engine, "wave")) == 1


@pytest.mark.parametrize(
    ("name", "path", "said"),
    [
        ("game_platform_sync", "/api/admin/jobs/trigger-sync", "jobId"),
        ("game_platform_totals_sweep", "/api/admin/jobs/trigger-totals-sweep", "jobId"),
        ("game_platform_full_sync", "/api/admin/jobs/trigger-full-sync", "jobId"),
        ("greet", "/cron/jobs/greet/execute", "runId"),
        ("weekly-cleanup", "/cron/maintenance/cleanup", "runIds"),
        ("health-check", "/cron/monitoring/health-check?wait=0", "runId"),
        ("run-outbound-jobs", "/api/jobs/run-outbound?wait=0", None),
    ],
)
def test_a_named_job_asked_for_twice_with_one_key_is_one_run(api, engine, name, path, said):
    rest = {"name": "rest", "kind": "var_keyword", "type": None, "default": None, "required": False}
    declare(engine, job(name, signature=[rest]))

    answers = [api.post(path, headers=KEY) for _ in range(2)]

    assert {answer.status_code for answer in answers} <= {200, 202}, answers[0].text
    assert said is None or answers[0].json()[said] == answers[1].json()[said]
    assert len(run_ids(engine, name)) == 1


def test_a_job_switched_twice_with_one_key_is_switched_once(api, engine, known):
    for path in ("/api/admin/cron-jobs/greet/toggle", "/cron/jobs/wave/toggle"):
        key = {"Idempotency-Key": path}
        first = api.post(path, json={"enabled": False}, headers=key)
        second = api.post(path, json={"enabled": False}, headers=key)

        assert (first.status_code, second.status_code) == (200, 200)
        assert second.headers["idempotency-replayed"] == "true"
        assert api.post(path, json={"enabled": True}, headers=key).status_code == 422
    assert len(audit(engine)) == 2


def test_a_run_cancelled_and_retried_twice_is_answered_the_same(api, engine, known):
    run_id = api.post("/api/admin/cron-jobs/greet/run").json()["runId"]

    for action in ("cancel", "retry"):
        key = {"Idempotency-Key": action}
        first, second = (api.post(f"/api/runs/{run_id}/{action}", headers=key) for _ in range(2))
        assert (first.status_code, second.status_code) == (200, 200), action
        assert second.json() == first.json()
        assert api.post(f"/api/runs/{run_id}/{action}").status_code == 409
    assert [row["outcome"] for row in audit(engine)] == ["done", "done", "refused", "done", "refused"]


def test_a_refused_request_gives_its_key_back(api, known):
    assert api.post("/api/schedules", json=NEW | {"expr": "61 * * * *"}, headers=KEY).status_code == 400
    assert api.post("/api/schedules", json={"job": "greet"}, headers=KEY).status_code == 422
    assert api.post("/api/schedules", json=NEW, headers=KEY).status_code == 201


def test_of_many_at_a_time_one_is_done(api, url, known):
    answers = []

    def ask():
        answers.append(
            httpx.post(f"{url}/api/schedules", json=NEW, headers={**KEY, **dict(api.headers)}, timeout=30)
        )

    asking = [threading.Thread(target=ask) for _ in range(6)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len(api.get("/api/schedules").json()["schedules"]) == 1
    assert len({answer.text for answer in answers if answer.status_code == 201}) == 1


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_of_no_length_or_too_great_a_one_is_refused(api, known, key):
    assert api.post("/api/schedules", json=NEW, headers={"Idempotency-Key": key}).status_code == 422
    assert api.post("/api/cron/execute/greet", headers={"Idempotency-Key": key}).status_code == 422


def test_without_redis_nothing_is_done_that_might_be_done_twice(api_settings, engine, known):
    away = api_settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    headers = {"Authorization": "Bearer api-token-for-tests", **KEY}

    with serving(away) as url:
        answer = httpx.post(f"{url}/api/schedules", json=NEW, headers=headers, timeout=30)

    assert answer.status_code == 503
    assert audit(engine) == []
