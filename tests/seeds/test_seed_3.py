"""Seed 3, the job queue's manual for administrators: its calls and statements, typed into the running system.

Host, cookie and secret are ours; the rest is as printed.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from callboard.control.auth import Principal, Role, add_user
from callboard.control.auth.sessions import COOKIE, log_in
from callboard.control.context import Context
from callboard.storage.engine import make_engine
from helpers.competitors import add_coach, add_competitors
from helpers.sandboxed import Sandboxed, sandboxed
from helpers.system import TOKENS, System
from helpers.waiting import wait_for

NAMES = tuple(f"Player{number}" for number in range(12))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandboxed]:
    with sandboxed() as running:
        yield running


@pytest.fixture(scope="module")
def surroundings(surroundings: dict[str, str], sandbox: Sandboxed) -> dict[str, str]:
    return surroundings | sandbox.environ


@pytest.fixture(scope="module")
def board(system: System) -> Iterator[Engine]:
    engine = make_engine(system.settings.database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def coach(board: Engine) -> str:
    """A coach with a dozen competitors, whom the platform knows."""
    coach = add_coach(board)
    add_competitors(board, coach, *NAMES)
    return str(coach)


@pytest.fixture(scope="module")
def cookie(system: System) -> str:
    """`your-auth-cookie`."""
    with Context(system.settings) as context:
        add_user(context, Principal("root", Role.ADMIN, "cli"), "ada", Role.ADMIN, "a long password")
        return f"{COOKIE}={log_in(context, 'ada', 'a long password', address=None).token}"


def trigger(system: System, cookie: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Post as the manual does, and wait for the end of the run; its row of `job_queue`."""
    answer = system.call("POST", path, token=None, headers={"Cookie": cookie}, json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["success"] is True
    return ended(system, answer.json()["jobId"])


def ended(system: System, run_id: Any) -> dict[str, Any]:
    system.wait_for_run(str(run_id))
    (row,) = system.rows("SELECT * FROM job_queue WHERE id = %s", run_id)
    return row


# Current Setup


def test_the_three_schedules_are_there_under_their_names(system: System) -> None:
    rows = system.rows(
        "SELECT jobname, schedule, active FROM cron.job"
        " WHERE jobname LIKE 'game\\_platform%%' OR jobname LIKE 'job\\_queue%%' ORDER BY jobname"
    )
    assert [(row["jobname"], row["schedule"], row["active"]) for row in rows] == [
        ("game_platform_sync_incremental", "*/30 * * * *", True),
        ("game_platform_totals_sweep_hourly", "0 * * * *", True),
        ("job_queue_cleanup_daily", "15 3 * * *", True),
    ]


# Scenario 3: Preview Sync Changes Without Writing


def test_a_preview_lists_the_changes_and_writes_nothing(system: System, coach: str, cookie: str) -> None:
    row = trigger(system, cookie, "/api/admin/jobs/trigger-sync", {"dryRun": True})

    assert row["status"] == "succeeded"
    assert row["result"]["dry_run"] is True
    assert {change["competitor"] for change in row["result"]["changes"]} == set(NAMES)
    assert system.rows("SELECT count(*) AS n FROM business.challenge_solves")[0]["n"] == 0


# Option 2: Via API, and Scenario 2: Sync Only One Coach's Data


def test_a_sync_and_a_sweep_bring_solves_and_totals(system: System, coach: str, cookie: str) -> None:
    synced = trigger(system, cookie, "/api/admin/jobs/trigger-sync", {"dryRun": False, "coachId": coach})
    assert (synced["status"], synced["attempts"], synced["max_attempts"]) == ("succeeded", 1, 3)
    assert synced["result"]["linked"] == len(NAMES)
    assert synced["result"]["added"] > 0
    again = trigger(system, cookie, "/api/admin/jobs/trigger-sync", {"dryRun": False, "coachId": None})
    assert again["result"]["failed"] == 0

    swept = trigger(
        system,
        cookie,
        "/api/admin/jobs/trigger-totals-sweep",
        {"dryRun": False, "coachId": None, "batchSize": 100},
    )
    assert swept["result"]["refreshed"] == len(NAMES)
    totals = system.rows("SELECT count(*) AS n FROM business.competitor_totals")
    flagged = system.rows("SELECT count(*) AS n FROM business.competitors WHERE needs_totals_refresh")
    assert (totals[0]["n"], flagged[0]["n"]) == (len(NAMES), 0)


def test_the_session_token_may_come_as_a_bearer_too(system: System, coach: str) -> None:
    answer = system.call("POST", "/api/admin/jobs/trigger-totals-sweep", json={"batchSize": 50})

    assert answer.status_code == 200
    assert ended(system, answer.json()["jobId"])["payload"]["batch_size"] == 50


def test_a_coach_who_is_not_there_fails_the_job_with_a_sentence_and_no_retry(
    system: System, cookie: str
) -> None:
    other = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
    row = trigger(system, cookie, "/api/admin/jobs/trigger-sync", {"dryRun": False, "coachId": other})

    assert (row["status"], row["attempts"]) == ("failed", 1)
    assert row["last_error"] == f"There is no coach {other}."


# Quick Sync Actions: Full Sync (Incremental + Totals)


def test_a_full_sync_is_a_chain_of_the_two(system: System, coach: str) -> None:
    (asked,) = system.rows(
        """SELECT job_queue_enqueue('game_platform_full_sync', '{"dryRun": false, "waitS": 1}') AS id"""
    )
    result = ended(system, asked["id"])["result"]
    assert result["wait_s"] == 1
    sync, totals = ended(system, result["sync_run"]), None
    assert (sync["task_type"], sync["status"]) == ("game_platform_sync", "succeeded")

    def swept() -> dict[str, Any] | None:
        found = system.rows(
            "SELECT * FROM job_queue WHERE id = %s AND status = 'succeeded'", result["totals_run"]
        )
        return found[0] if found else None

    totals = wait_for(swept, 60, "the totals")
    assert totals is not None
    assert totals["task_type"] == "game_platform_totals_sweep"
    assert (totals["started_at"] - sync["completed_at"]).total_seconds() >= 0.9


def test_the_button_waits_thirty_seconds(system: System, coach: str, cookie: str) -> None:
    row = trigger(system, cookie, "/api/admin/jobs/trigger-full-sync", {"dryRun": True})

    assert row["result"]["wait_s"] == 30


# Troubleshooting


def test_the_worker_can_be_kicked_with_its_secret(system: System) -> None:
    headers = {"x-job-runner-secret": TOKENS["JOB_QUEUE_RUNNER_SECRET"]}
    answer = system.call("POST", "/api/jobs/run", token=None, headers=headers)

    assert answer.status_code == 200
    body = answer.json()
    assert (body["success"], body["paused"]) == (True, None)
    assert body["workers"] >= 1
    wrong = system.call("POST", "/api/jobs/run", token=None, headers={"x-job-runner-secret": "YOUR_SECRET"})
    assert wrong.status_code == 401


def test_a_sync_can_be_asked_for_by_sql(system: System, coach: str) -> None:
    (asked,) = system.rows(
        """
   SELECT public.job_queue_enqueue(
     p_task_type := 'game_platform_sync',
     p_payload := '{}'::jsonb
   ) AS id;
"""
    )
    assert ended(system, asked["id"])["status"] == "succeeded"


def test_an_outage_of_the_platform_fails_a_job_with_what_was_said(
    system: System, sandbox: Sandboxed, coach: str, cookie: str
) -> None:
    sandbox.turn("game", failure_rate=1.0, failure_status=401)
    asked = system.call("POST", "/api/admin/jobs/trigger-sync", json={}).json()["jobId"]

    def failed_once() -> bool:
        lines = system.rows("SELECT last_error FROM job_queue WHERE id = %s", asked)
        return bool(lines and lines[0]["last_error"])

    wait_for(failed_once, 60, "the first failure")
    (row,) = system.rows("SELECT last_error, max_attempts FROM job_queue WHERE id = %s", asked)
    assert "HTTP 401" in row["last_error"]
    sandbox.turn("game", failure_rate=0.0)
    assert ended(system, asked)["status"] == "succeeded"


# FAQ: Can I delete old jobs?


def test_succeeded_jobs_of_two_weeks_ago_are_deleted(system: System) -> None:
    system.database.execute(
        "UPDATE callboard.runs SET finished_at = finished_at - interval '15 days' WHERE state = 'succeeded'"
        " AND job = 'game_platform_totals_sweep'"
    )
    old = (
        "SELECT count(*) AS n FROM job_queue"
        " WHERE task_type = %s AND completed_at < now() - interval '14 days'"
    )
    assert system.rows(old, "game_platform_totals_sweep")[0]["n"] > 0

    answer = system.call("POST", "/api/cron/execute/job_queue_cleanup")

    assert answer.json()["result"]["processed"] > 0, answer.text
    assert system.rows(old, "game_platform_totals_sweep")[0]["n"] == 0
