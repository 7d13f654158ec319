"""The health of queues over HTTP."""

from typing import Any

import dramatiq
import pytest

from helpers.declarations import declare, job

READS = (
    "/cron/jobs/stats",
    "/cron/health/queues",
    "/cron/health/queues/mail",
    "/cron/health/bottlenecks",
    "/cron/health/recommendations/mail",
    "/cron/health/trends/mail?window=hour",
    "/api/jobs/send/trends?window=week",
    "/api/queues/mail/backlog",
    "/api/queues/mail/waits?window=hour",
    "/cron/status/overview",
)
CHANGES = (
    "/cron/jobs/send/execute",
    "/cron/maintenance/cleanup",
    "/cron/monitoring/health-check",
)


@pytest.fixture
def backlog(engine: Any, broker: Any) -> None:
    @dramatiq.actor(queue_name="mail", actor_name="send")
    def send() -> None:
        raise AssertionError("nobody works here")

    declare(engine, job("send", queue="mail"), job("cleanup-old-logs"))
    for _ in range(3):
        send.send()


def test_an_unserved_queue_scores_a_fifth_and_says_why_and_what_to_do(api: Any, backlog: None) -> None:
    found = {each["queue"]: each for each in api.get("/cron/health/queues").json()["queues"]}

    assert set(found) == {"default", "mail"}
    assert found["default"]["healthScore"] is None
    assert "not enough data" in found["default"]["note"]
    mail = api.get("/cron/health/queues/mail").json()
    assert (mail["healthScore"], mail["status"], mail["metrics"]["waiting"]) == (0.2, "critical", 3)
    assert mail["deductions"][-1]["reason"] == "no_consumer"
    (bottleneck,) = api.get("/cron/health/bottlenecks").json()["bottlenecks"]
    assert (bottleneck["type"], bottleneck["severity"]) == ("queue_backlog", "critical")
    (advice,) = api.get("/cron/health/recommendations/mail").json()["recommendations"]
    assert advice["text"] == "Start a worker that serves the queue."


def test_the_overview_has_jobs_queues_breakers_and_bottlenecks(api: Any, backlog: None) -> None:
    found = api.get("/cron/status/overview").json()

    assert (found["status"], found["circuitBreakers"], len(found["queues"])) == ("critical", [], 2)
    assert found["jobs"]["totalJobs"] == 2
    assert found["bottlenecks"][0]["queue"] == "mail"


@pytest.mark.parametrize(("window", "points"), [("hour", 60), ("week", 28), ("90days", 90)])
def test_trends_have_a_point_for_each_bucket(api: Any, backlog: None, window: str, points: int) -> None:
    found = api.get("/cron/health/trends/mail", params={"window": window}).json()

    assert (found["queue"], found["window"], len(found["points"])) == ("mail", window, points)
    assert found["points"][0]["at"] < found["points"][-1]["at"]
    assert found["changes"][0]["figure"] == "throughput"
    assert found["points"][0]["usual"]["finished"] is None, "nothing is usual yet"


def test_a_backlog_and_waits_of_which_nothing_is_known_say_so(api: Any, backlog: None) -> None:
    waiting, waited = api.get("/api/queues/mail/backlog").json(), api.get("/api/queues/mail/waits").json()

    assert (waiting["depths"], waiting["forecast"], waiting["limit"]) == ([], None, 100)
    assert (waited["runs"], waited["parts"], waited["blame"]) == (0, [], [])
    for path in ("/api/queues/nowhere/backlog", "/api/queues/nowhere/waits", "/api/jobs/nowhere/trends"):
        assert api.get(path).status_code == 404


def test_a_window_that_there_is_not_is_refused(api: Any, backlog: None) -> None:
    assert api.get("/cron/health/trends/mail?window=year").status_code == 422


def test_jobs_are_counted_switched_and_run_and_that_is_audited(api: Any, backlog: None) -> None:
    stats = api.get("/cron/jobs/stats").json()
    assert (stats["total"], {each["name"] for each in stats["jobs"]}) == (2, {"send", "cleanup-old-logs"})

    off = api.post("/cron/jobs/send/toggle", json={"enabled": False})
    refused = api.post("/cron/jobs/send/execute")
    on = api.post("/cron/jobs/send/toggle", json={"enabled": True})
    ran = api.post("/cron/jobs/send/execute")
    cleaned = api.post("/cron/maintenance/cleanup")

    assert (off.json()["enabled"], refused.status_code, on.json()["enabled"]) == (False, 423, True)
    assert (ran.status_code, cleaned.json()["jobName"]) == (200, "cleanup-old-logs")
    assert len(cleaned.json()["runIds"]) == 1
    actions = [each["action"] for each in api.get("/api/audit").json()["entries"]]
    assert {"disable_job", "enable_job", "run_job"} <= set(actions)


@pytest.mark.parametrize("path", ["/queues/", "/recommendations/", "/trends/"])
def test_a_queue_that_there_is_not_is_a_404_with_a_sentence(api: Any, backlog: None, path: str) -> None:
    answer = api.get(f"/cron/health{path}nowhere")

    assert answer.status_code == 404
    assert answer.json()["detail"] == "There is no queue named 'nowhere'; there are default, mail."


def test_a_job_that_there_is_not_is_a_404(api: Any, backlog: None) -> None:
    for path in ("toggle", "execute"):
        body = {"json": {"enabled": True}} if path == "toggle" else {}
        assert api.post(f"/cron/jobs/nothing/{path}", **body).status_code == 404


def test_roles_hold(api: Any, api_as: Any, backlog: None) -> None:
    viewer, nobody = api_as("viewer"), {"Authorization": "Bearer wrong"}
    for path in READS:
        assert api.get(path).status_code == 200, path
        assert api.get(path, headers=nobody).status_code == 401, path
    for path in CHANGES:
        assert viewer.post(path).status_code == 403, path
    assert viewer.post("/cron/jobs/send/toggle", json={"enabled": False}).status_code == 403
