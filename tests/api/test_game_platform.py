"""Asking for the game platform's jobs, and kicking the queue."""

import json
from collections.abc import Iterator

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from callboard.control.auth import Principal, Role, add_user
from callboard.control.auth.sessions import COOKIE, log_in
from callboard.control.context import Context
from helpers.declarations import audit, declare, job

SECRET = "the-job-queue-runner-secret"
COACH = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
SIGNATURE = [
    {
        "name": name,
        "kind": "positional_or_keyword",
        "type": kind,
        "default": default,
        "required": False,
    }
    for name, kind, default in (
        ("coach_id", "str | None", None),
        ("dry_run", "bool", False),
        ("batch_size", "int", 100),
    )
]
TRIGGERS = {
    "trigger-sync": "game_platform_sync",
    "trigger-totals-sweep": "game_platform_totals_sweep",
    "trigger-full-sync": "game_platform_full_sync",
}


@pytest.fixture
def api_settings(api_settings):
    return api_settings.model_copy(update={"job_queue_runner_secret": SecretStr(SECRET)})


@pytest.fixture
def jobs(engine):
    declare(engine, *(job(name, signature=SIGNATURE) for name in TRIGGERS.values()))


@pytest.fixture
def session(settings) -> Iterator[str]:
    with Context(settings) as context:
        add_user(context, Principal("root", Role.ADMIN, "cli"), "otto", Role.OPERATOR, "a long password")
        yield log_in(context, "otto", "a long password", address=None).token


def payloads(engine):
    with engine.connect() as connection:
        return list(
            connection.execute(text("SELECT task_type, payload FROM job_queue ORDER BY created_at")).all()
        )


@pytest.mark.parametrize(("trigger", "name"), TRIGGERS.items())
def test_a_trigger_queues_its_job_with_the_arguments_of_the_body(api, engine, jobs, trigger, name):
    more = {} if trigger == "trigger-sync" else {"batchSize": 50}
    answer = api.post(f"/api/admin/jobs/{trigger}", json={"dryRun": True, "coachId": COACH, **more})

    assert answer.status_code == 200
    body = answer.json()
    assert answer.headers["location"] == f"/api/runs/{body.pop('jobId')}"
    assert body == {
        "success": True,
        "taskType": name,
        "status": "pending",
        "dryRun": True,
        "coachId": COACH,
        "message": f"{name} has been queued",
    }
    kwargs = {"coach_id": COACH, "dry_run": True} | ({"batch_size": 50} if more else {})
    assert payloads(engine) == [(name, kwargs)]
    assert [(row["action"], row["target"]) for row in audit(engine)] == [("run_job", name)]


@pytest.mark.parametrize("content_type", [None, "application/x-www-form-urlencoded", "application/json"])
def test_a_body_is_taken_as_curl_sends_it(api, engine, jobs, content_type):
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = api.post(
        "/api/admin/jobs/trigger-totals-sweep", content=json.dumps({"batchSize": 50}), headers=headers
    )

    assert answer.status_code == 200, answer.text
    assert payloads(engine)[0][1] == {"coach_id": None, "dry_run": False, "batch_size": 50}


@pytest.mark.parametrize(
    "body",
    [{"dryRun": "yes"}, {"coachId": "specific-uuid"}, {"batchSize": 0}, {"batchSize": 1.5}, {"dryrun": True}],
)
def test_a_body_that_makes_no_sense_is_refused(api, engine, jobs, body):
    answer = api.post("/api/admin/jobs/trigger-totals-sweep", json=body)

    assert answer.status_code == 422
    assert payloads(engine) == []


def test_a_job_that_no_worker_has_declared_is_not_found(api):
    assert api.post("/api/admin/jobs/trigger-sync", json={}).status_code == 404


def test_a_viewer_may_not_trigger_and_a_refusal_is_audited(api_as, engine, jobs):
    answer = api_as("viewer").post("/api/admin/jobs/trigger-sync", json={"dryRun": False})

    assert answer.status_code == 403
    assert payloads(engine) == []
    assert audit(engine)[-1]["outcome"] == "refused"


def test_a_session_of_the_panel_is_as_good_as_a_token(url, engine, jobs, session):
    answer = httpx.post(
        f"{url}/api/admin/jobs/trigger-sync", json={"dryRun": False}, cookies={COOKIE: session}
    )

    assert answer.status_code == 200
    row = audit(engine)[-1]
    assert (row["who"], row["origin"], row["action"]) == ("otto", "api", "run_job")


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_a_session_is_not_taken_from_another_sites_page(url, engine, jobs, session, headers):
    answer = httpx.post(
        f"{url}/api/admin/jobs/trigger-sync",
        content="{}",
        headers={"Content-Type": "application/x-www-form-urlencoded", **headers},
        cookies={COOKIE: session},
    )

    assert answer.status_code == 401
    assert payloads(engine) == []


def test_a_session_that_never_was_is_refused(url, jobs):
    answer = httpx.post(f"{url}/api/admin/jobs/trigger-sync", json={}, cookies={COOKIE: "made up"})

    assert answer.status_code == 401


def test_the_kick_sends_what_lies_in_the_outbox(url, engine, jobs):
    # Given two runs that SQL has asked for, which no scheduler is there to send, and one for tomorrow
    with engine.begin() as connection:
        connection.execute(text("SELECT job_queue_enqueue('game_platform_sync')"))
        connection.execute(text("SELECT job_queue_enqueue('game_platform_totals_sweep')"))
        connection.execute(
            text("SELECT job_queue_enqueue('game_platform_sync', p_run_at := now() + interval '1 day')")
        )
    # When it is kicked twice
    kicks = [
        httpx.post(f"{url}/api/jobs/run", headers={"x-job-runner-secret": SECRET}).json() for _ in range(2)
    ]
    # Expect both to be sent once, and tomorrow's to be left
    assert [(body["success"], body["sent"], body["waiting"]) for body in kicks] == [
        (True, 2, 2),
        (True, 0, 2),
    ]
    assert kicks[0]["message"] == "2 messages were sent; 2 runs wait for 0 workers"
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM callboard.outbox")) == 1
    row = audit(engine)[-1]
    assert (row["who"], row["action"]) == ("JOB_QUEUE_RUNNER_SECRET", "kick")


@pytest.mark.parametrize("headers", [{}, {"x-job-runner-secret": "wrong"}, {"Authorization": "Bearer wrong"}])
def test_the_kick_takes_the_secret(url, headers):
    answer = httpx.post(f"{url}/api/jobs/run", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
