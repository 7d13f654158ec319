"""The management API of the fifth system's manual, against the running system."""

import pytest

from helpers.system import System
from helpers.waiting import wait_for


@pytest.mark.parametrize(
    "path",
    [
        "/cron/jobs/stats",
        "/cron/health/queues",
        "/cron/health/queues/default",
        "/cron/health/bottlenecks",
        "/cron/health/recommendations/default",
        "/cron/health/trends/default",
        "/cron/status/overview",
    ],
)
def test_every_read_of_the_manual_answers(system: System, path: str) -> None:
    answer = system.call("GET", path)

    assert answer.status_code == 200, answer.text


def test_a_job_is_switched_and_run(system: System) -> None:
    for enabled in (False, True):
        answer = system.call("POST", "/cron/jobs/health-check/toggle", json={"enabled": enabled})
        assert answer.json()["enabled"] is enabled

    ran = system.call("POST", "/cron/jobs/health-check/execute")

    assert ran.status_code == 200
    assert system.wait_for_run(ran.json()["runId"])["state"] in ("succeeded", "skipped")


def test_a_clean_up_is_triggered(system: System) -> None:
    answer = system.call("POST", "/cron/maintenance/cleanup")

    assert answer.status_code == 200
    for run_id in answer.json()["runIds"]:
        assert system.wait_for_run(run_id)["state"] == "succeeded"


def test_a_health_check_is_triggered_and_waited_for(system: System) -> None:
    answer = wait_for(
        lambda: (found := system.call("POST", "/cron/monitoring/health-check")).status_code != 409 and found,
        what="a health check that none runs beside",
    )

    assert answer.status_code == 200, answer.text
    assert answer.json()["execution"]["status"] == "success"


def test_the_scheduler_samples_the_queues(system: System) -> None:
    sampled = wait_for(
        lambda: system.rows("SELECT * FROM callboard.queue_samples WHERE queue = 'default' AND slots > 0"),
        what="a sample of a queue that a worker serves",
    )

    assert sampled[0]["workers"] == 1
    assert sampled[0]["slots"] == 8


def test_a_paused_backlog_lowers_the_score_and_is_named(system: System) -> None:
    system.call("POST", "/api/queues/default/pause", json={"reason": "maintenance"})
    try:
        for _ in range(3):
            system.call("POST", "/cron/jobs/heartbeat/execute")

        def waiting() -> dict[str, object] | None:
            found = system.call("GET", "/cron/health/queues/default").json()
            return found if found["metrics"]["waiting"] >= 3 else None

        found = wait_for(waiting, what="a backlog")
        assert found is not None
        first = system.call("GET", "/cron/health/bottlenecks").json()["bottlenecks"][0]
        assert (first["queue"], first["type"], first["cause"]) == ("default", "high_wait_time", "paused")
        advice = system.call("GET", "/cron/health/recommendations/default").json()["recommendations"]
        assert advice[0]["text"].startswith("Resume the queue")
    finally:
        system.call("POST", "/api/queues/default/resume")
