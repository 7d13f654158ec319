"""The management API, commands and settings of the fifth system's manual, against the running system.

What each of the flags CRON_ENABLE_... switches off is tested where it is done.
"""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from callboard.core.settings import Settings, load_settings
from callboard.middleware.breaker import Breaker
from callboard.middleware.default import make_broker
from callboard.storage.queue_facts import thresholds
from helpers.runs import add_run
from helpers.system import System
from helpers.terminal import callboard
from helpers.waiting import wait_for

#: As printed.
ENVIRONMENT = """
# Redis Configuration
BULL_REDIS_HOST=localhost
BULL_REDIS_PORT=6379
BULL_REDIS_PASSWORD=password
BULL_REDIS_DB=0

# Feature Flags
CRON_ENABLE_DUPLICATE_PREVENTION=true
CRON_ENABLE_PERFORMANCE_MONITORING=true
CRON_ENABLE_AUTOMATIC_RECOVERY=true
CRON_ENABLE_METRICS_COLLECTION=true
CRON_ENABLE_ALERT_NOTIFICATIONS=true

# Circuit Breaker
CIRCUIT_BREAKER_FAILURE_THRESHOLD=5
CIRCUIT_BREAKER_TIMEOUT=300000
CIRCUIT_BREAKER_MONITORING_WINDOW=60000

# Health Monitoring
QUEUE_HEALTH_CHECK_INTERVAL=60000
QUEUE_HEALTH_ALERT_THRESHOLD=0.5
QUEUE_HEALTH_RETENTION_PERIOD=604800000
"""
COMMANDS = """
curl http://localhost:3000/cron/jobs/stats | jq
curl http://localhost:3000/cron/health/queues | jq
curl http://localhost:3000/cron/status/overview | jq
curl -X POST http://localhost:3000/cron/jobs/health-check/execute
"""
PRINTED = dict(re.findall(r"^(\w+)=(.+)$", ENVIRONMENT, re.MULTILINE))
#: What differs in the running system, so that nobody has to wait.
QUICK = {
    "CIRCUIT_BREAKER_FAILURE_THRESHOLD": "1",
    "QUEUE_HEALTH_CHECK_INTERVAL": "1000",
    "QUEUE_HEALTH_RETENTION_PERIOD": "60000",
}
READS = (
    "/cron/jobs/stats",
    "/cron/health/queues",
    "/cron/health/queues/default",
    "/cron/health/bottlenecks",
    "/cron/health/recommendations/default",
    "/cron/health/trends/default",
    "/cron/status/overview",
)
JOBS = ("fetch-paris-data", "hourly-aggregations", "daily-statistics", "weekly-cleanup", "health-check")
#: Runs that it takes until a queue has a score.
ENOUGH = 20
TYPES = {"queue_backlog", "high_failure_rate", "slow_processing", "high_wait_time"}


@pytest.fixture(scope="module")
def surroundings(surroundings: dict[str, str]) -> dict[str, str]:
    return surroundings | PRINTED | QUICK


@pytest.fixture(scope="module")
def busy(system: System) -> System:
    """The system, after enough runs to tell how its queue does."""
    for _ in range(ENOUGH):
        system.call("POST", "/cron/jobs/heartbeat/execute")
    wait_for(
        lambda: read(system, "/cron/health/queues/default")["metrics"]["finished"] >= ENOUGH,
        what="the end of twenty runs",
    )
    return system


def read(system: System, path: str) -> dict[str, Any]:
    answer = system.call("GET", path)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def alerts(system: System, kind: str, subject: str) -> list[bool]:
    """Which of the alerts of that kind and subject are open, the first ones first."""
    query = "SELECT resolved_at IS NULL AS open FROM callboard.alerts WHERE kind = %s AND subject = %s"
    return [row["open"] for row in system.rows(f"{query} ORDER BY id", kind, subject)]


@pytest.mark.parametrize("path", READS)
def test_no_read_of_the_manual_is_open_to_everybody(system: System, path: str) -> None:
    assert system.call("GET", path, token=None).status_code == 401


def test_the_debugging_commands_are_answered(system: System) -> None:
    commands = re.findall(r"^curl (?:-X (\w+) )?http://localhost:3000(\S+)", COMMANDS, re.MULTILINE)
    assert len(commands) == 4
    for method, path in commands:
        answer = system.call(method or "GET", path)
        assert answer.status_code == 200, (path, answer.text)
        if method == "POST":
            assert system.wait_for_run(answer.json()["runId"])["state"] in ("succeeded", "skipped")


def test_the_statistics_are_those_of_all_jobs(busy: System) -> None:
    found = read(busy, "/cron/jobs/stats")

    jobs = {each["name"]: each for each in found["jobs"]}
    assert found["total"] == len(jobs) == found["summary"]["totalJobs"]
    assert set(JOBS) <= set(jobs)
    assert jobs["daily-statistics"]["schedule"] == "59 23 * * *"
    assert jobs["daily-statistics"]["nextRun"].endswith("T23:59:00Z")
    stats = jobs["heartbeat"]["stats"]
    assert stats["totalRuns"] == stats["successfulRuns"] >= ENOUGH
    assert (stats["failedRuns"], stats["successRate"]) == (0, 100.0)
    assert stats["minDuration"] <= stats["avgDuration"] <= stats["maxDuration"]


def test_the_health_of_a_queue_is_one_less_what_is_amiss(busy: System) -> None:
    found = read(busy, "/cron/health/queues/default")

    assert [each["queue"] for each in read(busy, "/cron/health/queues")["queues"]] == ["default"]
    deducted = sum(each["amount"] for each in found["deductions"])
    assert 0 <= found["healthScore"] <= 1
    assert found["healthScore"] == pytest.approx(1 - deducted, abs=0.001)
    assert found["note"] is None
    metrics = found["metrics"]
    assert (metrics["workers"], metrics["threads"]) == (1, 8)
    assert metrics["failureRate"] == pytest.approx(metrics["failed"] / metrics["finished"], abs=0.01)
    assert 0 < metrics["durationP95Ms"] < 30_000


def test_bottlenecks_are_of_the_types_and_severities_of_the_manual(busy: System) -> None:
    busy.call("POST", "/api/queues/default/pause", json={"reason": "maintenance"})
    try:
        for _ in range(3):
            busy.call("POST", "/cron/jobs/heartbeat/execute")
        found = wait_for(
            lambda: read(busy, "/cron/health/bottlenecks")["bottlenecks"], what="a queue that is held up"
        )
        for each in found:
            assert each["type"] in TYPES
            assert each["severity"] in ("critical", "high", "medium", "low")
        first = next(each for each in found if each["cause"] == "paused")
        assert (first["queue"], first["type"]) == ("default", "high_wait_time")
        assert "maintenance" in first["evidence"]
        advice = read(busy, "/cron/health/recommendations/default")["recommendations"]
        assert any(each["text"].startswith("Resume the queue") for each in advice)
    finally:
        busy.call("POST", "/api/queues/default/resume")


def test_trends_show_what_has_run(busy: System) -> None:
    found = read(busy, "/cron/health/trends/default")

    assert (found["queue"], found["window"], len(found["points"])) == ("default", "day", 24)
    assert sum(each["finished"] for each in found["points"]) >= ENOUGH
    last = [each for each in found["points"] if each["finished"]][-1]
    assert 0 <= last["failureRate"] <= 1
    assert last["durationP50Ms"] <= last["durationP95Ms"] <= last["durationP99Ms"]
    assert {each["direction"] for each in found["changes"]} <= {"rising", "falling", "steady", "unknown"}


def test_the_overview_has_all_that_the_manual_lists(busy: System) -> None:
    found = read(busy, "/cron/status/overview")

    assert found["status"] in ("healthy", "degraded", "critical")
    assert found["jobs"]["totalExecutions"] >= ENOUGH
    assert [each["queue"] for each in found["queues"]] == ["default"]
    for each in found["circuitBreakers"]:
        assert each["state"] in ("closed", "open", "half_open")
    assert isinstance(found["bottlenecks"], list)


def test_a_job_is_switched_and_run(system: System) -> None:
    for enabled in (False, True):
        answer = system.call("POST", "/cron/jobs/health-check/toggle", json={"enabled": enabled})
        assert answer.json()["enabled"] is enabled

    ran = system.call("POST", "/cron/jobs/health-check/execute")

    assert ran.status_code == 200
    assert system.wait_for_run(ran.json()["runId"])["state"] in ("succeeded", "skipped")


def test_a_health_check_is_triggered_and_waited_for(system: System) -> None:
    answer = wait_for(
        lambda: (found := system.call("POST", "/cron/monitoring/health-check")).status_code != 409 and found,
        what="a health check that none runs beside",
    )

    assert answer.status_code == 200, answer.text
    assert answer.json()["execution"]["status"] == "success"
    assert set(answer.json()["result"]["checks"]) >= {"postgresql", "redis", "workers", "breakers"}


def test_a_cleanup_keeps_what_the_manual_says_of_its_jobs_and_all_of_the_others(system: System) -> None:
    system.database.execute("SELECT callboard.ensure_partitions(now() - interval '60 days')")
    for job, days, state in (
        ("fetch-paris-data", 6, "succeeded"),
        ("fetch-paris-data", 8, "succeeded"),
        ("daily-statistics", 29, "failed"),
        ("daily-statistics", 31, "failed"),
        ("process-tier-upgrades", 31, "succeeded"),
    ):
        at = datetime.now(UTC) - timedelta(days=days)
        add_run(system.database, state, job=job, started_at=at, finished_at=at, worker="of old")

    answer = system.call("POST", "/cron/maintenance/cleanup")

    assert (answer.status_code, answer.json()["jobName"]) == (200, "weekly-cleanup")
    (run_id,) = answer.json()["runIds"]
    run = system.wait_for_run(run_id)
    assert run["state"] == "succeeded", run
    assert run["result"]["rows"]["completed"] == {"default": 1}
    assert run["result"]["rows"]["failed_runs"] == {"default": 1}
    left = system.rows("SELECT job FROM callboard.runs WHERE worker = 'of old' ORDER BY job")
    assert [row["job"] for row in left] == ["daily-statistics", "fetch-paris-data", "process-tier-upgrades"]


def test_the_scheduler_samples_the_queues_and_forgets_old_samples(system: System) -> None:
    system.database.execute(
        "INSERT INTO callboard.queue_samples"
        " (queue, at, depth, oldest_due_ms, in_flight, dead, workers, slots, busy)"
        " VALUES ('default', now() - interval '61 seconds', 0, 0, 0, 0, 0, 4711, 0)"
    )

    sampled = wait_for(
        lambda: system.rows("SELECT * FROM callboard.queue_samples WHERE slots = 8"),
        what="a sample of a queue that a worker serves",
    )
    assert sampled[0]["workers"] == 1
    wait_for(
        lambda: not system.rows("SELECT 1 FROM callboard.queue_samples WHERE slots = 4711"),
        what="the end of a sample that is older than QUEUE_HEALTH_RETENTION_PERIOD",
    )


def test_a_breaker_that_opens_has_an_alert_until_an_operator_closes_it(system: System) -> None:
    # Given a job whose provider is nowhere to be found
    ran = system.call("POST", "/cron/jobs/fetch-paris-data/execute").json()["runId"]

    def opened() -> dict[str, Any] | None:
        found = read(system, "/cron/status/overview")["circuitBreakers"]
        return next((each for each in found if each["state"] == "open"), None)

    breaker = wait_for(opened, what="an open breaker")

    assert breaker is not None
    assert breaker["name"] == "open-meteo"
    open_for = datetime.fromisoformat(breaker["until"]) - datetime.fromisoformat(breaker["openedAt"])
    assert open_for == timedelta(milliseconds=int(PRINTED["CIRCUIT_BREAKER_TIMEOUT"]))
    assert read(system, "/cron/status/overview")["status"] in ("degraded", "critical")
    wait_for(lambda: alerts(system, "breaker_open", "open-meteo")[-1:] == [True], what="its alert")

    system.call("POST", "/cron/jobs/fetch-paris-data/toggle", json={"enabled": False})
    system.call("POST", f"/api/runs/{ran}/cancel", json={})
    assert system.call("POST", "/api/breakers/open-meteo/reset").status_code == 200
    wait_for(lambda: not any(alerts(system, "breaker_open", "open-meteo")), what="the alert's end")


def test_the_environment_of_the_manual_is_understood_as_it_is_printed(tmp_path: Path) -> None:
    nowhere = {"CALLBOARD_HOME": str(tmp_path)}
    settings, bare = load_settings(nowhere | PRINTED), load_settings(nowhere)

    assert len(PRINTED) == 15
    for name in PRINTED:
        assert name.lower() in Settings.model_fields
        if not name.startswith("BULL_REDIS_"):
            assert getattr(settings, name.lower()) == getattr(bare, name.lower()), "these are the defaults"
    assert settings.redis_url == "redis://:password@localhost:6379/0"


def test_a_process_finds_redis_by_its_parts(tmp_path: Path) -> None:
    done = callboard("env", cwd=tmp_path, env=PRINTED)

    assert (done.returncode, done.stderr) == (0, "")
    assert "REDIS_URL=redis://:password@localhost:6379/0" in done.stdout.split()


def test_the_thresholds_of_the_environment_are_those_of_breakers_and_queues(tmp_path: Path) -> None:
    changed = {
        "CALLBOARD_HOME": str(tmp_path),
        "CIRCUIT_BREAKER_FAILURE_THRESHOLD": "7",
        "CIRCUIT_BREAKER_TIMEOUT": "1000",
        "CIRCUIT_BREAKER_MONITORING_WINDOW": "2000",
        "QUEUE_HEALTH_ALERT_THRESHOLD": "0.75",
    }
    settings = load_settings(PRINTED | changed)
    broker = make_broker(settings)

    (breaker,) = (each for each in broker.middleware if isinstance(each, Breaker))
    held = breaker._settings
    assert (held.threshold, held.timeout, held.window, held.recovers) == (7, 1_000, 2_000, True)
    assert thresholds(settings).score == 0.75
    broker.close()
