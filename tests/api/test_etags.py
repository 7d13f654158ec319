"""Whoever has an answer already is told so instead of being sent it again."""

import pytest

from helpers.declarations import declare, job

POLLED = [
    "/api/cron/jobs",
    "/api/admin/cron-jobs",
    "/api/admin/cron-jobs/health-check/history",
    "/api/runs",
    "/api/queues",
    "/api/pauses",
    "/api/alerts",
    "/api/anomalies",
    "/api/breakers",
    "/api/schedules",
    "/api/dead-letters",
    "/api/audit",
]


@pytest.mark.parametrize("path", POLLED)
def test_what_has_not_changed_is_not_sent_again(api, engine, path):
    declare(engine, job("health-check"))
    first = api.get(path)
    assert (first.status_code, first.headers["cache-control"]) == (200, "private, no-cache")
    tag = first.headers["etag"]

    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = api.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag), known
        assert again.headers["x-request-id"]
    assert api.get(path, headers={"If-None-Match": '"other"'}).json() == first.json()


def test_what_has_changed_is_sent_with_another_tag(api, engine):
    declare(engine, job("health-check"))
    first = api.get("/api/cron/jobs")
    api.post("/api/admin/cron-jobs/health-check/toggle", json={"enabled": False})

    second = api.get("/api/cron/jobs", headers={"If-None-Match": first.headers["etag"]})

    assert second.status_code == 200
    assert second.json()["jobs"][0]["enabled"] is False
    assert second.headers["etag"] != first.headers["etag"]


def test_a_tag_opens_no_door_and_hides_no_problem(api, engine):
    declare(engine, job("health-check"))
    tag = api.get("/api/cron/jobs").headers["etag"]

    refused = api.get("/api/cron/jobs", headers={"If-None-Match": tag, "Authorization": "Bearer wrong"})
    missing = api.get("/api/cron/execute/nothing", headers={"If-None-Match": "*"})

    assert (refused.status_code, missing.status_code) == (401, 404)
    assert "etag" not in missing.headers


@pytest.mark.parametrize("path", ["/api/jobs/run-outbound", "/api/cron/run-outbound-jobs"])
def test_a_get_that_makes_something_happen_is_never_answered_by_what_was_before(
    api, engine, redis_client, namespace, path
):
    declare(engine, job("run-outbound-jobs"))
    redis_client.set(f"{namespace}:__mutex__.run-outbound-jobs", "somebody")

    answer = api.get(path, headers={"If-None-Match": "*"})

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
