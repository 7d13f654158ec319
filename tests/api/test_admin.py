from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from callboard.core.keys import Keys
from helpers.declarations import audit, declare, job, log_execution, run_ids
from helpers.serving import serving


def test_the_overview_has_the_six_figures_the_jobs_and_what_runs(api, engine):
    declare(engine, job("health-check", "*/5 * * * *"), job("sweep", category="cleanup"))
    now = datetime.now(UTC)
    with engine.begin() as connection:
        for minutes in range(1, 10):
            log_execution(connection, "health-check", now - timedelta(minutes=minutes), ms=200)
        log_execution(connection, "sweep", now - timedelta(minutes=4), ms=900, error="no")
        log_execution(connection, "sweep", now - timedelta(seconds=4), ms=None)
    api.post("/api/admin/cron-jobs/health-check/toggle", json={"enabled": False})

    body = api.get("/api/admin/cron-jobs").json()

    assert body["success"] is True
    assert body["summary"] == {
        "totalJobs": 2,
        "enabledJobs": 1,
        "disabledJobs": 1,
        "runningJobs": 1,
        "totalExecutions": 10,
        "totalFailures": 1,
        "overallSuccessRate": 90.0,
    }
    assert body["categories"] == {"cleanup": 1, "monitoring": 1}
    (running,) = body["runningJobs"]
    assert running["jobName"] == "sweep"
    assert 3_000 < running["duration"] < 60_000
    found = {each["name"]: each for each in body["jobs"]}
    assert (found["health-check"]["mark"], found["sweep"]["mark"]) == ("ok", "bad")
    assert found["health-check"]["scheduleDescription"] == "Every 5 minutes"
    assert (found["health-check"]["state"], found["health-check"]["nextRun"]) == ("disabled", None)
    assert found["health-check"]["stats"]["avgDuration"] == 200
    assert found["health-check"]["stats"]["totalRuns"] == 9


def test_a_toggle_takes_effect_and_is_audited_under_the_tokens_name(api, engine):
    declare(engine, job("health-check"))

    answer = api.post("/api/admin/cron-jobs/health-check/toggle", json={"enabled": False})

    assert answer.status_code == 200
    assert answer.json() == {
        "success": True,
        "jobName": "health-check",
        "enabled": False,
        "message": "Job health-check has been disabled",
    }
    assert api.get("/api/cron/execute/health-check").json()["enabled"] is False
    row = audit(engine)[-1]
    assert (row["who"], row["origin"], row["address"]) == ("CALLBOARD_API_TOKEN", "api", "127.0.0.1")
    assert (row["action"], row["target"], row["outcome"]) == ("disable_job", "health-check", "done")


@pytest.mark.parametrize(
    "body",
    [{}, {"enabled": "yes"}, {"enabled": 1}, {"enabled": None}, {"enabled": True, "extra": 1}, [], "x", None],
)
def test_a_toggle_that_says_neither_on_nor_off_changes_nothing(api, engine, body):
    declare(engine, job("health-check"))

    answer = api.post("/api/admin/cron-jobs/health-check/toggle", json=body)

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("The body")
    assert api.get("/api/cron/execute/health-check").json()["enabled"] is True


def test_a_run_is_queued_with_the_words_of_the_contract(api, engine, redis_client, namespace):
    declare(engine, job("health-check"))

    answer = api.post("/api/admin/cron-jobs/health-check/run")

    assert answer.status_code == 200
    body = answer.json()
    assert body.pop("runId") == str(run_ids(engine, "health-check")[0])
    assert body == {
        "success": True,
        "jobName": "health-check",
        "message": "Job health-check has been queued for execution",
        "note": "Job is running asynchronously. Check execution history for results.",
    }
    assert redis_client.llen(Keys(namespace).queue("default")) == 1


def test_while_redis_is_away_a_run_is_kept_and_the_note_says_so(api_settings, engine):
    declare(engine, job("health-check"))
    away = api_settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})

    with serving(away) as url:
        answer = httpx.post(
            f"{url}/api/admin/cron-jobs/health-check/run",
            headers={"Authorization": "Bearer api-token-for-tests"},
            timeout=30,
        )

    assert answer.status_code == 200
    assert answer.json()["note"] == "Redis does not answer; the job is kept and runs as soon as it does."
    assert [str(run_id) for run_id in run_ids(engine, "health-check")] == [answer.json()["runId"]]


def test_a_run_takes_arguments_and_refuses_those_that_do_not_fit(api, engine):
    parameter = {
        "name": "days",
        "kind": "positional_or_keyword",
        "type": "int",
        "default": None,
        "required": True,
    }
    declare(engine, job("sweep", signature=[parameter]))

    assert api.post("/api/admin/cron-jobs/sweep/run", json={"kwargs": {"days": 3}}).status_code == 200
    wrong = api.post("/api/admin/cron-jobs/sweep/run", json={"kwargs": {"days": "three"}})
    missing = api.post("/api/admin/cron-jobs/sweep/run")

    assert wrong.status_code == 400
    assert wrong.json()["detail"] == "The argument 'days' of sweep must be int, not \"three\"."
    assert missing.status_code == 400
    assert len(run_ids(engine, "sweep")) == 1


def test_a_job_that_is_switched_off_is_locked(api, engine):
    declare(engine, job("health-check"))
    api.post("/api/admin/cron-jobs/health-check/toggle", json={"enabled": False})

    run = api.post("/api/admin/cron-jobs/health-check/run")
    execute = api.post("/api/cron/execute/health-check")

    assert run.status_code == 423
    assert execute.status_code == 423
    assert execute.json()["skipped"] is True
    assert execute.json()["reason"] == "disabled"
    assert run_ids(engine, "health-check") == []


def test_the_history_has_figures_runs_and_hours(api, engine):
    declare(engine, job("health-check", "*/5 * * * *"))
    now = datetime.now(UTC)
    with engine.begin() as connection:
        for minutes in range(1, 8):
            log_execution(connection, "health-check", now - timedelta(minutes=minutes), ms=minutes)
        log_execution(connection, "health-check", now - timedelta(minutes=8), ms=9, error="no")
        log_execution(connection, "health-check", now - timedelta(days=3), ms=1)

    body = api.get("/api/admin/cron-jobs/health-check/history", params={"limit": 8, "days": 1}).json()

    assert (body["success"], body["jobName"], body["job"]["name"]) == (True, "health-check", "health-check")
    stats = body["stats"]
    assert (stats["totalRuns"], stats["successfulRuns"], stats["failedRuns"]) == (8, 7, 1)
    assert (stats["successRate"], stats["avgDuration"]) == (87.5, 5)
    assert datetime.fromisoformat(stats["lastRun"]) == now - timedelta(minutes=1)
    assert len(body["history"]) == 8
    first, last = body["history"][0], body["history"][-1]
    assert (first["status"], first["duration"], first["error"]) == ("completed", 1, None)
    assert (last["status"], last["duration"], last["error"]) == ("failed", 9, "no")
    assert UUID(first["id"])
    assert sum(each["executions"] for each in body["timeline"]) == 8
    assert {"timeBucket", "executions", "successes", "failures", "avgDuration"} == set(body["timeline"][0])


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "days=0", "days=367", "days="])
def test_a_limit_or_span_out_of_range_is_one_sentence(api, engine, query):
    declare(engine, job("health-check"))

    answer = api.get(f"/api/admin/cron-jobs/health-check/history?{query}")

    assert answer.status_code == 422
    name = query.partition("=")[0]
    assert answer.json()["detail"].startswith(f"The query parameter '{name}' is wrong: ")
