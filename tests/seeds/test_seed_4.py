"""Seed 4, the jobs package on Cloudflare Workers: its tasks and its idioms, on the running system."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from sqlalchemy import insert

from callboard.storage.engine import make_engine
from callboard.storage.tables.business import streamings
from helpers.sandboxed import Sandboxed, sandboxed
from helpers.system import System


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandboxed]:
    with sandboxed() as running:
        yield running


@pytest.fixture(scope="module")
def surroundings(surroundings: dict[str, str], sandbox: Sandboxed) -> dict[str, str]:
    return surroundings | sandbox.environ | {"REPORT_RECIPIENTS": "stakeholders@example.org"}


def execute(system: System, name: str, **arguments: object) -> dict[str, object]:
    answer = system.call("POST", f"/api/cron/execute/{name}", json={"kwargs": arguments})
    assert answer.status_code == 200, answer.text
    result: dict[str, object] = answer.json()["result"]
    return result


# Job Registration


def test_the_video_queue_is_registered_every_five_minutes_with_two_minutes(system: System) -> None:
    job = system.call("GET", "/api/cron/execute/process-streaming-video-queue").json()

    assert job["schedule"] == "*/5 * * * *"
    assert job["timeout"] in (120, 120_000)
    (row,) = system.rows("SELECT schedule FROM cron.job WHERE jobname = 'process-streaming-video-queue'")
    assert row["schedule"] == "*/5 * * * *"


# jobManager.execute("*/5 * * * *", "test-exec-id") and `wrangler dev --test-scheduled --local`


def test_firing_the_expression_processes_the_queue_and_logs_with_context(
    system: System, surroundings: dict[str, str]
) -> None:
    engine = make_engine(system.settings.database_url)
    with engine.begin() as connection:
        uids = ("ready-a", "error-a", "queued-a")
        connection.execute(insert(streamings), [{"external_id": uid} for uid in uids])
    engine.dispose()

    done = subprocess.run(
        [sys.executable, "-m", "callboard.cli.main", "fire", "*/5 * * * *", "--wait", "--timeout", "120"],
        env=os.environ | surroundings,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "process-streaming-video-queue succeeded" in done.stdout, done.stdout + done.stderr
    rows = system.rows("SELECT external_id, status, duration FROM business.streamings ORDER BY external_id")
    assert [(row["external_id"], row["status"]) for row in rows] == [
        ("error-a", "error"),
        ("queued-a", "queued"),
        ("ready-a", "ready"),
    ]
    assert rows[2]["duration"] > 0
    (run,) = system.rows(
        "SELECT id FROM cron_job_logs"
        " WHERE job_name = 'process-streaming-video-queue' ORDER BY started_at DESC LIMIT 1"
    )
    logs = system.call("GET", f"/api/runs/{run['id']}").json()["logs"]
    ready = next(line["message"] for line in logs if "Video marked as ready" in line["message"])
    assert "external_id=ready-a" in ready
    assert "task=processStreamingVideoQueue" in ready


# syncExternalData, cleanupExpiredSessions, generateDailyReports


def test_external_data_are_synchronised_from_a_cursor(system: System) -> None:
    first, second = (execute(system, "sync-external-data") for _ in range(2))

    assert int(str(first["processed"])) > 8_000
    assert int(str(second["processed"])) <= 1


def test_sessions_are_cleaned_up_and_reports_reach_the_stakeholders(system: System) -> None:
    assert execute(system, "cleanup-expired-portal-sessions") == {"processed": 0, "failed": 0}
    report = execute(system, "generate-daily-reports", day="2026-11-25")
    assert (report["changed"], report["emails"]) == (True, 1)
    (mail,) = system.rows("SELECT to_address, subject FROM business.email_queue")
    assert mail == {"to_address": "stakeholders@example.org", "subject": "Daily report of 2026-11-25"}


# metricsCollector: durations, successes and failures by task


def test_metrics_of_every_task_are_kept(system: System) -> None:
    (stats,) = system.rows("SELECT * FROM get_cron_job_stats('sync-external-data', 1)")

    assert (stats["successful_runs"], stats["failed_runs"]) == (2, 0)
    assert stats["max_duration_ms"] >= stats["min_duration_ms"] >= 0
