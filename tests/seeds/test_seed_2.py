"""Seed 2, the outbound runner: what its guide prints, typed into the running system.

Host and tokens are ours; the rest is as printed.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.house import ROOT
from helpers.sandboxed import Sandboxed, sandboxed
from helpers.system import TOKENS, System
from helpers.waiting import wait_for

#: `vercel.json`'s schedule, and the address that it calls.
SCHEDULE = {"path": "/api/cron/run-outbound-jobs", "schedule": "*/30 * * * * *"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandboxed]:
    with sandboxed() as running:
        yield running


@pytest.fixture(scope="module")
def surroundings(surroundings: dict[str, str], sandbox: Sandboxed) -> dict[str, str]:
    return surroundings | sandbox.environ


@pytest.fixture(autouse=True)
def nothing_queued(system: System, sandbox: Sandboxed) -> None:
    sandbox.reset()
    system.database.execute('DELETE FROM "OutboundJob"')


def insert(system: System, text: str = "Hello", **columns: Any) -> int:
    names = "".join(f', "{name}"' for name in columns)
    places = ", %s" * len(columns)
    statement = f"""
INSERT INTO "OutboundJob" ("to", payload{names})
VALUES ('+33612345678', jsonb_build_object('text', %s::text){places}) RETURNING id"""
    number: int = system.rows(statement, text, *columns.values())[0]["id"]
    return number


def count(system: System, statement: str) -> int:
    number: int = system.rows(statement)[0]["count"]
    return number


# 1. Check Vercel Cron Configuration


def test_the_schedule_is_a_row_that_anybody_can_look_up(system: System) -> None:
    (job,) = [
        each
        for each in system.call("GET", "/api/cron/jobs").json()["jobs"]
        if each["name"] == "run-outbound-jobs"
    ]

    assert job["schedule"] == SCHEDULE["schedule"]
    # As pg_cron writes it.
    rows = system.rows("SELECT schedule, active FROM cron.job WHERE jobname = 'run-outbound-jobs'")
    assert rows == [{"schedule": "30 seconds", "active": True}]


# 2. Test Job Runner Directly


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_job_runner_called_directly(system: System, method: str) -> None:
    answer = system.call(
        method, f"/api/jobs/run-outbound?token={TOKENS['JOB_RUNNER_TOKEN']}&max=10", token=None
    )

    assert answer.status_code == 200
    body = answer.json()
    if body.pop("note", None) is None:
        assert answer.headers["location"].startswith("/api/runs/")
    assert body == {"ok": True, "processed": 0, "failed": 0, "jobIds": {"processed": [], "failed": []}}


def test_the_job_runner_takes_its_token_as_a_header_too_and_no_other_token_in_the_address(
    system: System,
) -> None:
    good = system.call("GET", "/api/jobs/run-outbound?max=10", token=TOKENS["JOB_RUNNER_TOKEN"])
    wrong = system.call("GET", f"/api/jobs/run-outbound?token={TOKENS['CRON_SECRET']}", token=None)

    assert (good.status_code, wrong.status_code) == (200, 401)


# 3. Test Cron Endpoint


def test_the_cron_endpoint_with_a_bearer_token(system: System) -> None:
    answer = system.call("GET", "/api/cron/run-outbound-jobs", token=TOKENS["CRON_SECRET"])

    assert answer.status_code == 200
    body = answer.json()
    body["jobRunnerResult"].pop("note", None)
    assert body == {
        "ok": True,
        "message": "Job runner triggered",
        "jobRunnerResult": {"ok": True, "processed": 0, "failed": 0},
    }


# Issue: 401 Unauthorized


@pytest.mark.parametrize("path", ["/api/cron/run-outbound-jobs", "/api/jobs/run-outbound?max=10"])
@pytest.mark.parametrize("headers", [{}, {"x-vercel-cron": "1"}, {"Authorization": "Bearer wrong"}])
def test_without_the_token_it_is_401_whoever_says_to_be_vercel(
    system: System, path: str, headers: dict[str, str]
) -> None:
    answer = system.call("GET", path, token=None, headers=headers)

    assert answer.status_code == 401
    assert answer.json()["detail"]


# 4. Check Vercel Logs


def test_the_log_patterns_are_in_the_log_of_the_run(system: System) -> None:
    number = insert(system)
    wait_for(lambda: count(system, """SELECT COUNT(*) FROM "OutboundJob" WHERE status = 'done'"""), 60)
    (message,) = system.rows('SELECT * FROM "OutboundJob"')

    def lines() -> list[str] | None:
        found = system.rows(
            """
SELECT l.message FROM callboard.log_lines l JOIN callboard.runs r USING (run_id)
 WHERE r.job = 'run-outbound-jobs' AND l.at >= %s ORDER BY l.at, l.seq""",
            message["createdAt"],
        )
        said = [row["message"].partition(" action=")[0] for row in found]
        return said if f"[JOB-RUNNER] Job {number} completed successfully" in said else None

    said = wait_for(lines, 30)
    assert said is not None
    assert "[JOB-RUNNER] Processing 1 job(s)" in said
    assert f"[JOB-RUNNER] Processing job {number} (requestId: {message['requestId']})" in said
    assert f"[JOB-RUNNER] Sending outbound for job {number}" in said


# 5. Check Database for Queued Jobs


def test_the_counts_of_each_status(system: System) -> None:
    insert(system, runAt="2999-01-01")
    insert(system, runAt="2999-01-01", status="running", startedAt="2999-01-01")
    done = insert(system, status="done")
    system.database.execute("""UPDATE "OutboundJob" SET "completedAt" = now() WHERE status = 'done'""")
    insert(system, status="failed")
    system.database.execute(
        """UPDATE "OutboundJob" SET "completedAt" = now() - interval '23 hours' WHERE status = 'failed'"""
    )

    assert done
    assert count(system, """SELECT COUNT(*) FROM "OutboundJob" WHERE status = 'queued';""") == 1
    assert count(system, """SELECT COUNT(*) FROM "OutboundJob" WHERE status = 'running';""") == 1
    assert (
        count(
            system,
            """
SELECT COUNT(*) FROM "OutboundJob"
WHERE status = 'done'
AND "completedAt" > NOW() - INTERVAL '1 hour';
""",
        )
        == 1
    )
    assert (
        count(
            system,
            """
SELECT COUNT(*) FROM "OutboundJob"
WHERE status = 'failed'
AND "completedAt" > NOW() - INTERVAL '24 hours';
""",
        )
        == 1
    )


# 6. Automated Verification Script


def test_the_verification_script(system: System) -> None:
    done = subprocess.run(
        [ROOT / "scripts" / "verify-job-runner.sh", system.url],
        env=os.environ
        | {name: TOKENS[name] for name in ("CRON_SECRET", "JOB_RUNNER_TOKEN")}
        | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines() if line.startswith("✓")] == [
        "Address", "Refusal", "Forgery", "Schedule", "Cron", "Runner", "Messages"
    ]  # fmt: skip


def test_the_verification_script_fails_where_a_secret_is_wrong(system: System) -> None:
    done = subprocess.run(
        [ROOT / "scripts" / "verify-job-runner.sh", system.url],
        env=os.environ | {"CRON_SECRET": "wrong", "JOB_RUNNER_TOKEN": TOKENS["JOB_RUNNER_TOKEN"]},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 1
    assert "/api/cron/run-outbound-jobs refuses CRON_SECRET" in done.stdout
    assert "✓ Runner" in done.stdout


# Monitoring


def test_the_queue_size_by_status(system: System) -> None:
    insert(system, runAt="2999-01-01")
    insert(system, runAt="2999-01-01")
    insert(system, status="failed")

    rows = system.rows('SELECT status, COUNT(*) FROM "OutboundJob" GROUP BY status;')

    assert {row["status"]: row["count"] for row in rows} == {"queued": 2, "failed": 1}


def test_the_processing_rate_by_minute_and_the_error_rate_by_hour(system: System) -> None:
    for status in ("done", "done", "failed"):
        insert(system, status=status)
    system.database.execute('UPDATE "OutboundJob" SET "completedAt" = now()')

    processed = system.rows("""
SELECT
  DATE_TRUNC('minute', "completedAt") as minute,
  COUNT(*) as processed
FROM "OutboundJob"
WHERE status = 'done'
AND "completedAt" > NOW() - INTERVAL '1 hour'
GROUP BY minute
ORDER BY minute DESC;
""")
    failed = system.rows("""
SELECT
  DATE_TRUNC('hour', "completedAt") as hour,
  COUNT(*) as failed
FROM "OutboundJob"
WHERE status = 'failed'
AND "completedAt" > NOW() - INTERVAL '24 hours'
GROUP BY hour
ORDER BY hour DESC;
""")

    assert [row["processed"] for row in processed] == [2]
    assert [row["failed"] for row in failed] == [1]
    assert failed[0]["hour"] <= processed[0]["minute"]


# Expected Behavior


def test_normal_operation_needs_nobody_to_call_anything(system: System, sandbox: Sandboxed) -> None:
    # Given what a webhook does when a message comes in
    (row,) = system.rows("""
INSERT INTO "OutboundJob" ("to", kind, payload)
VALUES ('+33612345678', 'reply', '{"inbound": {"text": "How much is it?"}}')
RETURNING id, status, "idempotencyKey"
""")
    assert row["status"] == "queued"
    # When nobody calls anything, expect the reply to go out within the next two slots of the schedule
    (done,) = wait_for(
        lambda: system.rows("""SELECT * FROM "OutboundJob" WHERE status = 'done'"""), 90, "the reply"
    )
    assert done["id"] == row["id"]
    assert done["startedAt"] <= done["completedAt"]
    (delivered,) = sandbox.deliveries("whatsapp")
    assert delivered["text"].startswith("Thank you for asking.")
    assert (delivered["key"], delivered["id"]) == (row["idempotencyKey"], done["providerMessageId"])


def test_a_message_fails_for_good_after_its_attempts(system: System, sandbox: Sandboxed) -> None:
    # Given one that has been tried before, in the midst of others, and a provider that fails often

    number = insert(system, text="", maxAttempts=1)

    system.call("POST", "/api/jobs/run-outbound")
    wait_for(lambda: count(system, """SELECT COUNT(*) FROM "OutboundJob" WHERE status = 'failed'"""), 60)

    (row,) = system.rows('SELECT * FROM "OutboundJob" WHERE id = %s', number)
    assert (row["attempts"], row["completedAt"] is not None, bool(row["error"])) == (1, True, True)
