"""Seed 1, cron job orchestration: its calls and statements, typed into the running system.

Host and secret are ours; the rest is as printed. `test_seed_1_jobs.py` holds the registry of its jobs.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from helpers.system import JOBS, TOKENS, System, running_system
from helpers.waiting import wait_for

SECRET = TOKENS["CRON_SECRET"]
SEVENTEEN = {
    "opportunities": 2,
    "promotions": 3,
    "reviews": 2,
    "loyalty": 3,
    "analytics": 2,
    "monitoring": 1,
    "cleanup": 4,
}
HEALTH_CHECK = {
    "name": "health-check",
    "schedule": "*/5 * * * *",
    "enabled": True,
    "timeout": 30,
    "retries": 1,
    "category": "monitoring",
}


@pytest.fixture(scope="module")
def system(surroundings: dict[str, str]) -> Iterator[System]:
    """The running system, with jobs that fail and take too long; none runs but when it is told to."""
    with running_system(surroundings, jobs=f"{JOBS},helpers.api_actors") as running:
        running.database.execute("UPDATE cron.job SET active = false")
        yield running


def curl(system: System, method: str, path: str, **more: Any) -> httpx.Response:
    """`curl -H "Authorization: Bearer YOUR_CRON_SECRET"`."""
    return system.call(method, path, token=SECRET, **more)


def execute(system: System, job: str) -> httpx.Response:
    return curl(system, "POST", f"/api/cron/execute/{job}")


def has(answer: dict[str, Any], **printed: Any) -> bool:
    return {name: answer.get(name) for name in printed} == printed


# Verify Setup


def test_the_cron_secret_lists_the_jobs(system: System) -> None:
    answer = curl(system, "GET", "/api/cron/jobs")

    body = answer.json()
    assert answer.status_code == 200
    assert body["total"] == len(body["jobs"]) == sum(body["categories"].values())
    assert {name: body["categories"][name] for name in SEVENTEEN}.keys() == SEVENTEEN.keys()
    assert all(body["categories"][name] >= count for name, count in SEVENTEEN.items())
    (job,) = [job for job in body["jobs"] if job["name"] == "health-check"]
    assert has(job, **HEALTH_CHECK)
    assert job["description"]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"x-vercel-cron": "1"}])
def test_without_the_secret_nothing_is_listed_and_nothing_run(
    system: System, headers: dict[str, str]
) -> None:
    for method, path in (("GET", "/api/cron/jobs"), ("POST", "/api/cron/execute/health-check")):
        answer = system.call(method, path, token=None, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["detail"]


def test_executing_a_job_answers_with_its_execution(system: System) -> None:
    answer = execute(system, "health-check")

    body = answer.json()
    assert answer.status_code == 200
    assert has(
        body,
        success=True,
        jobName="health-check",
        message="Job health-check completed successfully",
    )
    execution = body["execution"]
    assert execution["status"] == "success"
    begun, ended = (datetime.fromisoformat(execution[name]) for name in ("startedAt", "completedAt"))
    assert begun <= ended
    assert abs((ended - begun).total_seconds() * 1000 - execution["duration"]) <= 5


# Error Response


@pytest.mark.parametrize(
    ("job", "error"), [("broken", "the mail server said no"), ("limited", "Job timeout after 1 seconds")]
)
def test_a_job_that_fails_answers_with_its_error(system: System, job: str, error: str) -> None:
    answer = execute(system, job)

    body = answer.json()
    assert answer.status_code == 500
    assert has(body, success=False, jobName=job)
    assert error in body["error"]
    assert body["execution"]["status"] == "failed"
    assert body["execution"]["duration"] >= (1000 if job == "limited" else 0)


def test_an_unknown_job_is_not_found(system: System) -> None:
    answer = execute(system, "test-job")

    assert answer.status_code == 404
    assert "test-job" in answer.json()["detail"]


# Get Job Info


def test_the_configuration_of_a_job_is_told(system: System) -> None:
    answer = curl(system, "GET", "/api/cron/execute/health-check")

    assert answer.status_code == 200
    assert has(answer.json(), **HEALTH_CHECK)


# Management API


def test_the_overview_has_the_summary_the_jobs_the_categories_and_what_runs(system: System) -> None:
    execute(system, "quick")
    execute(system, "broken")

    body = system.call("GET", "/api/admin/cron-jobs").json()

    summary = body["summary"]
    assert body["success"] is True
    assert summary.keys() >= {
        "totalJobs",
        "enabledJobs",
        "disabledJobs",
        "runningJobs",
        "totalExecutions",
        "totalFailures",
        "overallSuccessRate",
    }
    assert summary["totalJobs"] == len(body["jobs"]) == summary["enabledJobs"] + summary["disabledJobs"]
    assert summary["totalExecutions"] > summary["totalFailures"] >= 1
    done = summary["totalExecutions"] - summary["totalFailures"]
    assert summary["overallSuccessRate"] == pytest.approx(100 * done / summary["totalExecutions"], abs=0.01)
    assert body["categories"].keys() >= SEVENTEEN.keys()
    assert body["runningJobs"] == []


def test_a_run_asked_for_is_queued_and_seen_to_run(system: System) -> None:
    answer = system.call("POST", "/api/admin/cron-jobs/slow/run")

    body = answer.json()
    assert answer.status_code in (200, 202)
    assert has(
        body,
        success=True,
        jobName="slow",
        message="Job slow has been queued for execution",
        note="Job is running asynchronously. Check execution history for results.",
    )
    running = wait_for(
        lambda: system.rows(
            "SELECT job_name, started_at, running_duration_seconds FROM running_cron_jobs"
            " WHERE job_name = 'slow'"
        ),
        what="the job among those that run",
    )
    assert len(running) == 1
    assert system.wait_for_run(body["runId"])["state"] == "succeeded"


def test_a_disabled_job_is_skipped_until_it_is_enabled_again(system: System) -> None:
    def toggle(enabled: bool) -> None:
        answer = system.call("POST", "/api/admin/cron-jobs/quick/toggle", json={"enabled": enabled})
        assert answer.status_code == 200
        assert answer.json()["success"] is True
        (row,) = system.rows("SELECT * FROM cron_job_config WHERE job_name = 'quick'")
        assert row["enabled"] is enabled

    toggle(enabled=False)
    refused = execute(system, "quick")
    toggle(enabled=True)

    assert refused.status_code == 423
    # Workers hear of it within two seconds.
    wait_for(lambda: execute(system, "quick").status_code == 200, what="a run of the job that is on again")


def test_the_history_has_the_job_its_figures_its_runs_and_its_hours(system: System) -> None:
    for job in ("quick", "quick", "broken"):
        execute(system, job)

    body = system.call("GET", "/api/admin/cron-jobs/quick/history?limit=1&days=7").json()
    failed = system.call("GET", "/api/admin/cron-jobs/broken/history").json()

    assert has(body, success=True, jobName="quick")
    assert body["job"]["name"] == "quick"
    stats = body["stats"]
    assert stats["totalRuns"] == stats["successfulRuns"] >= 2
    assert (stats["failedRuns"], stats["successRate"]) == (0, 100.0)
    assert stats["avgDuration"] >= 0
    assert datetime.fromisoformat(stats["lastRun"])
    assert len(body["history"]) == 1
    assert sum(hour["executions"] for hour in body["timeline"]) == stats["totalRuns"]
    assert failed["stats"]["successRate"] == 0.0
    assert {run["error"] for run in failed["history"]} == {"the mail server said no"}


# Database Schema, Monitoring, Troubleshooting


def test_the_views_and_functions_tell_what_has_run(system: System) -> None:
    for job in ("quick", "broken"):
        execute(system, job)

    recent = system.rows("SELECT * FROM recent_cron_executions ORDER BY started_at DESC LIMIT 50")
    assert {"quick", "broken"} <= {row["job_name"] for row in recent}
    rates = system.rows(
        "SELECT job_name, successful_runs, failed_runs, total_runs, success_rate_percentage, avg_duration_ms,"
        " last_run_at FROM cron_job_success_rates"
    )
    by_job = {row["job_name"]: row for row in rates}
    assert (by_job["quick"]["success_rate_percentage"], by_job["broken"]["success_rate_percentage"]) == (
        100,
        0,
    )
    failures = system.rows("SELECT * FROM failed_cron_jobs LIMIT 20")
    assert "the mail server said no" in {row["error_message"] for row in failures}
    (stats,) = system.rows("SELECT * FROM get_cron_job_stats('quick', 30)")
    assert stats["total_runs"] == stats["successful_runs"] == by_job["quick"]["total_runs"]
    hours = system.rows("SELECT * FROM get_cron_job_timeline('quick', 24)")
    assert sum(hour["executions"] for hour in hours) == stats["total_runs"]


def test_the_latest_logs_of_a_job_are_its_executions(system: System) -> None:
    execute(system, "broken")

    logs = system.rows(
        "SELECT * FROM cron_job_logs WHERE job_name = 'broken' ORDER BY started_at DESC LIMIT 10"
    )
    details = system.rows(
        "SELECT error_message, COUNT(*) as occurrences FROM cron_job_logs WHERE job_name = 'broken'"
        " AND status = 'failed' AND started_at > NOW() - INTERVAL '7 days'"
        " GROUP BY error_message ORDER BY occurrences DESC"
    )

    assert {(log["status"], log["error_message"], log["attempts"]) for log in logs} == {
        ("failed", "the mail server said no", 1)
    }
    assert details[0]["occurrences"] >= 1


def test_a_job_is_switched_by_sql(system: System) -> None:
    for enabled, status in ((False, 423), (True, 200)):
        (row,) = system.rows(f"SELECT toggle_cron_job('quick', {str(enabled).lower()}, 'user-uuid')")
        assert row["toggle_cron_job"] is True
        wait_for(lambda expected=status: execute(system, "quick").status_code == expected, what="the switch")


def test_a_job_is_added_to_the_configuration_as_printed_though_it_is_known(system: System) -> None:
    system.database.execute("INSERT INTO cron_job_config (job_name, enabled) VALUES ('quick', true)")

    (row,) = system.rows("SELECT * FROM cron_job_config WHERE job_name = 'quick'")
    assert row["enabled"] is True


def test_stuck_executions_are_ended_by_sql(system: System) -> None:
    run_id = system.call("POST", "/api/admin/cron-jobs/slow/run", json={"kwargs": {"seconds": 30}}).json()[
        "runId"
    ]
    wait_for(lambda: system.rows("SELECT * FROM running_cron_jobs WHERE job_name = 'slow'"), what="the run")

    system.database.execute(
        "UPDATE cron_job_logs SET status = 'failed', error_message = 'Manually terminated - stuck job'"
        " WHERE status = 'started' AND job_name = 'slow'"
    )

    run = system.wait_for_run(run_id)
    assert run["state"] in ("failed", "cancelled")
    (log,) = system.rows("SELECT * FROM cron_job_logs WHERE id = %s", run_id)
    assert (log["status"], log["error_message"]) == ("failed", "Manually terminated - stuck job")


def test_the_cleanup_tells_how_many_executions_it_has_deleted(system: System) -> None:
    assert system.rows("SELECT cleanup_old_cron_logs(90)") == [{"cleanup_old_cron_logs": 0}]
