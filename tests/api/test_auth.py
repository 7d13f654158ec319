import re

import httpx
import pytest

from callboard.control import attempts
from helpers.declarations import audit, declare, job

OPEN = {("GET", "/healthz"), ("GET", "/readyz")}
#: The least role for each address, written down apart from the program.
LEAST = {
    ("GET", "/api/cron/jobs"): "viewer",
    ("GET", "/api/cron/execute/{job}"): "viewer",
    ("POST", "/api/cron/execute/{job}"): "operator",
    ("GET", "/api/admin/cron-jobs"): "viewer",
    ("POST", "/api/admin/cron-jobs/{job}/toggle"): "operator",
    ("POST", "/api/admin/cron-jobs/{job}/run"): "operator",
    ("GET", "/api/admin/cron-jobs/{job}/history"): "viewer",
    ("GET", "/api/jobs/run-outbound"): "operator",
    ("POST", "/api/jobs/run-outbound"): "operator",
    ("GET", "/api/cron/run-outbound-jobs"): "operator",
    ("GET", "/api/outbound"): "viewer",
    ("POST", "/api/admin/jobs/trigger-sync"): "operator",
    ("POST", "/api/admin/jobs/trigger-totals-sweep"): "operator",
    ("POST", "/api/admin/jobs/trigger-full-sync"): "operator",
    ("POST", "/api/jobs/run"): "operator",
    ("GET", "/api/runs"): "viewer",
    ("GET", "/api/runs/{run_id}"): "viewer",
    ("GET", "/api/runs/{run_id}/logs"): "viewer",
    ("GET", "/api/queues/{queue}"): "viewer",
    ("POST", "/api/queues/{queue}/drain"): "operator",
    ("GET", "/api/limits"): "viewer",
    ("POST", "/api/limits/{limit}/reset"): "operator",
    ("GET", "/metrics"): "viewer",
    ("POST", "/api/runs/{run_id}/cancel"): "operator",
    ("POST", "/api/runs/{run_id}/retry"): "operator",
    ("GET", "/api/workers"): "viewer",
    ("POST", "/api/runs/{run_id}/stack"): "operator",
    ("POST", "/api/runs/selected/retry"): "operator",
    ("POST", "/api/runs/selected/cancel"): "operator",
    ("POST", "/api/runs/bulk"): "operator",
    ("GET", "/api/runs/bulk"): "viewer",
    ("GET", "/api/runs/bulk/{action_id}"): "viewer",
    ("POST", "/api/runs/bulk/{action_id}/abort"): "operator",
    ("GET", "/api/runs/export"): "viewer",
    ("GET", "/api/queues"): "viewer",
    ("GET", "/api/pauses"): "viewer",
    ("POST", "/api/pause"): "operator",
    ("POST", "/api/resume"): "operator",
    ("POST", "/api/queues/{queue}/pause"): "operator",
    ("POST", "/api/queues/{queue}/resume"): "operator",
    ("POST", "/api/jobs/{job}/pause"): "operator",
    ("POST", "/api/jobs/{job}/resume"): "operator",
    ("GET", "/api/alerts"): "viewer",
    ("POST", "/api/alerts/{alert}/acknowledge"): "operator",
    ("POST", "/api/alerts/{alert}/unacknowledge"): "operator",
    ("GET", "/api/silences"): "viewer",
    ("POST", "/api/silences"): "operator",
    ("POST", "/api/silences/{silence}/end"): "operator",
    ("GET", "/api/anomalies"): "viewer",
    ("GET", "/api/breakers"): "viewer",
    ("GET", "/api/breakers/changes"): "viewer",
    ("POST", "/api/breakers/{breaker}/reset"): "operator",
    ("GET", "/api/dead-letters"): "viewer",
    ("GET", "/api/dead-letters/groups"): "viewer",
    ("POST", "/api/dead-letters/requeue"): "operator",
    ("POST", "/api/dead-letters/drop"): "operator",
    ("POST", "/api/dead-letters/bulk"): "operator",
    ("GET", "/api/dead-letters/bulk"): "viewer",
    ("GET", "/api/dead-letters/bulk/{action_id}"): "viewer",
    ("POST", "/api/dead-letters/bulk/{action_id}/abort"): "operator",
    ("GET", "/api/schedules"): "viewer",
    ("POST", "/api/schedules"): "operator",
    ("GET", "/api/schedules/templates"): "viewer",
    ("POST", "/api/schedules/preview"): "viewer",
    ("POST", "/api/schedules/apply"): "operator",
    ("GET", "/api/schedules/collisions"): "viewer",
    ("GET", "/api/schedules/ledger"): "viewer",
    ("GET", "/api/schedules/{schedule}"): "viewer",
    ("PATCH", "/api/schedules/{schedule}"): "operator",
    ("DELETE", "/api/schedules/{schedule}"): "operator",
    ("POST", "/api/schedules/{schedule}/enable"): "operator",
    ("POST", "/api/schedules/{schedule}/disable"): "operator",
    ("POST", "/api/schedules/{schedule}/reset"): "operator",
    ("GET", "/api/schedules/{schedule}/ledger"): "viewer",
    ("GET", "/api/jobs/{job}/why"): "viewer",
    ("GET", "/cron/health/bottlenecks"): "viewer",
    ("GET", "/cron/health/queues"): "viewer",
    ("GET", "/cron/health/queues/{queue}"): "viewer",
    ("GET", "/cron/health/recommendations/{queue}"): "viewer",
    ("GET", "/cron/health/trends/{queue}"): "viewer",
    ("GET", "/api/jobs/{job}/trends"): "viewer",
    ("GET", "/api/queues/{queue}/backlog"): "viewer",
    ("GET", "/api/queues/{queue}/waits"): "viewer",
    ("GET", "/cron/jobs/stats"): "viewer",
    ("GET", "/cron/status/overview"): "viewer",
    ("POST", "/cron/jobs/{job}/execute"): "operator",
    ("POST", "/cron/jobs/{job}/toggle"): "operator",
    ("POST", "/cron/maintenance/cleanup"): "operator",
    ("POST", "/cron/monitoring/health-check"): "operator",
    ("GET", "/api/users"): "admin",
    ("POST", "/api/users"): "admin",
    ("POST", "/api/users/{user}/role"): "admin",
    ("POST", "/api/users/{user}/password"): "admin",
    ("POST", "/api/users/{user}/enabled"): "admin",
    ("POST", "/api/users/{user}/sign-out"): "admin",
    ("GET", "/api/tokens"): "admin",
    ("POST", "/api/tokens"): "admin",
    ("DELETE", "/api/tokens/{token}"): "admin",
    ("GET", "/api/audit"): "admin",
}
#: What is sent where a body is needed.
BODIES = {
    ("POST", "/api/pause"): {"reason": "why not"},
    ("POST", "/api/queues/{queue}/pause"): {"reason": "why not"},
    ("POST", "/api/queues/{queue}/drain"): {"reason": "why not"},
    ("POST", "/api/jobs/{job}/pause"): {"reason": "why not"},
    ("POST", "/api/admin/cron-jobs/{job}/toggle"): {"enabled": True},
    ("POST", "/cron/jobs/{job}/toggle"): {"enabled": True},
    ("POST", "/api/users"): {"name": "eve", "role": "viewer", "password": "a long password"},
    ("POST", "/api/users/{user}/role"): {"role": "admin"},
    ("POST", "/api/users/{user}/password"): {"password": "another long password"},
    ("POST", "/api/users/{user}/enabled"): {"enabled": True},
    ("POST", "/api/dead-letters/requeue"): {"runIds": ["0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d"]},
    ("POST", "/api/dead-letters/drop"): {"runIds": ["0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d"]},
    ("POST", "/api/dead-letters/bulk"): {"what": "drop", "filter": {}},
    ("POST", "/api/runs/selected/retry"): {"runIds": ["0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d"]},
    ("POST", "/api/runs/selected/cancel"): {"runIds": ["0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d"]},
    ("POST", "/api/runs/bulk"): {"what": "retry", "search": "state:failed"},
    ("POST", "/api/tokens"): {"name": "eves", "role": "admin"},
    ("POST", "/api/schedules"): {"job": "health-check", "expr": "@daily"},
    ("POST", "/api/alerts/{alert}/acknowledge"): {"note": "on it"},
    ("POST", "/api/silences"): {"untilAt": "2999-01-01T00:00:00Z", "reason": "none"},
    ("PATCH", "/api/schedules/{schedule}"): {"expr": "@daily"},
    ("POST", "/api/schedules/preview"): {"expr": "@daily"},
    ("POST", "/api/schedules/apply"): {"template": "off-season", "sync": "health-check", "totals": "greet"},
}
WAITS = re.compile(r"/cron/(execute|maintenance|monitoring|run-outbound)|/run-outbound|/execute$")
ID = "0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d"
ROLES = ["viewer", "operator", "admin"]


def operations(client):
    paths = client.get("/openapi.json").json()["paths"]
    return {(method.upper(), path) for path, methods in paths.items() for method in methods}


def call(client, method, path, **options):
    filled = path.replace("{job}", "health-check").replace("{run_id}", ID)
    filled = filled.replace("{user}", "nobody").replace("{token}", "none").replace("{action_id}", ID)
    filled = filled.replace("{alert}", "424242").replace("{silence}", "424242")
    filled = filled.replace("{schedule}", "424242").replace("{queue}", "none").replace("{limit}", "none")
    body = BODIES.get((method, path))
    # Where a run is waited for, nobody works here.
    return client.request(
        method, filled, json=body, params={"wait": 0} if WAITS.search(path) else None, **options
    )


def test_every_address_is_listed_here(api):
    assert operations(api) == OPEN | set(LEAST)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "api-token-for-tests"},
        {"X-API-Key": "api-token-for-tests"},
    ],
)
def test_nothing_is_told_without_a_valid_token(url, engine, monkeypatch, headers):
    # More calls are made here than wrong tokens are borne from one address.
    monkeypatch.setattr(attempts, "MOST", 2 * len(LEAST))
    declare(engine, job("health-check"))
    with httpx.Client(base_url=url, timeout=30) as client:
        for method, path in LEAST:
            answer = call(client, method, path, headers=headers)

            assert answer.status_code == 401, (method, path)
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="callboard"'
            assert answer.headers["content-type"] == "application/problem+json"
            assert "health-check" not in answer.json()["detail"]


def test_a_token_in_the_query_is_no_token(url):
    for name in ("token", "access_token", "key"):
        assert httpx.get(f"{url}/api/cron/jobs", params={name: "api-token-for-tests"}).status_code == 401


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_what_its_list_says_and_nothing_else(api_as, engine, role):
    declare(engine, job("health-check"))
    client = api_as(role)

    for (method, path), least in LEAST.items():
        answer = call(client, method, path)
        allowed = ROLES.index(role) >= ROLES.index(least)
        assert (answer.status_code != 403) is allowed, (method, path, answer.text)
        if not allowed:
            assert re.match(
                rf"token:a {role} is an? {role} and may not do this: it takes ", answer.json()["detail"]
            )


def test_refusals_are_audited(api_as, engine):
    declare(engine, job("health-check"))

    api_as("viewer").post("/api/admin/cron-jobs/health-check/run")

    row = audit(engine)[-1]
    assert (row["who"], row["role"], row["action"], row["outcome"]) == (
        "token:a viewer",
        "viewer",
        "run_job",
        "refused",
    )
    assert row["address"] == "127.0.0.1"


def test_the_cron_secret_lists_runs_and_switches_and_does_nothing_else(url, engine):
    declare(engine, job("health-check"))
    with httpx.Client(base_url=url, headers={"Authorization": "Bearer cron-secret-for-tests"}) as client:
        assert client.get("/api/cron/jobs").status_code == 200
        assert client.post("/api/cron/execute/health-check", params={"wait": 0}).status_code == 202
        assert client.get("/api/admin/cron-jobs").status_code == 200
        for (method, path), least in LEAST.items():
            own = re.match(
                r"/cron/|/api/(cron|jobs/run|jobs/run-outbound|admin/(cron-)?jobs|dead-letters(?!/(requeue|drop)))(/|$)",
                path,
            )
            if least != "viewer" and not own:
                assert call(client, method, path).status_code == 403, (method, path)


def test_health_needs_no_token(url):
    assert httpx.get(f"{url}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{url}/readyz").status_code == 200
