"""Runs asked for over HTTP and worked on by a real worker, recorded by a real recorder."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from uuid import UUID

import httpx
import pytest
from pydantic import SecretStr

from callboard.core.settings import Settings, load_settings
from helpers.fleet import fleet
from helpers.serving import serving

TOKEN = "api-token-for-tests"


@pytest.fixture(scope="module")
def board(servers, module_database_url, tmp_path_factory) -> Iterator[Settings]:
    settings = load_settings(
        {
            "DATABASE_URL": module_database_url,
            "REDIS_URL": servers.valkey.url,
            "CALLBOARD_NAMESPACE": "test_execute",
            "CALLBOARD_HOME": str(tmp_path_factory.mktemp("home")),
        }
    ).model_copy(update={"callboard_api_token": SecretStr(TOKEN)})
    with fleet(settings, "helpers.api_actors"):
        yield settings


@pytest.fixture(scope="module")
def api(board) -> Iterator[httpx.Client]:
    with (
        serving(board) as url,
        httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as client,
    ):
        yield client


def test_a_job_that_succeeds_answers_200_with_the_body_of_the_contract(api):
    answer = api.post("/api/cron/execute/quick")

    assert answer.status_code == 200
    body = answer.json()
    execution = body.pop("execution")
    started, completed = (datetime.fromisoformat(execution[name]) for name in ("startedAt", "completedAt"))
    assert started <= completed
    assert 0 <= execution["duration"] < 5_000
    assert execution["status"] == "success"
    assert execution["startedAt"].endswith("Z")
    run_id = body.pop("runId")
    assert UUID(run_id)
    assert answer.headers["location"] == f"/api/runs/{run_id}"
    assert body == {
        "success": True,
        "jobName": "quick",
        "message": "Job quick completed successfully",
        "attempts": 1,
        "result": {"processed": 1, "failed": 0},
    }


def test_arguments_reach_the_job_and_its_result_comes_back(api):
    answer = api.post("/api/cron/execute/quick", json={"args": [41]})

    assert answer.json()["result"] == {"processed": 41, "failed": 0}


def test_a_job_that_fails_answers_500_with_the_error_body(api):
    answer = api.post("/api/cron/execute/broken")

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert (body["success"], body["jobName"]) == (False, "broken")
    assert body["error"] == "the mail server said no"
    assert body["execution"]["status"] == "failed"
    assert body["execution"]["startedAt"] is not None
    assert body["execution"]["duration"] >= 0


def test_all_attempts_are_waited_for_and_counted(api):
    answer = api.post("/api/cron/execute/flaky")

    assert answer.status_code == 500
    body = answer.json()
    assert (body["error"], body["attempts"]) == ("not this time", 2)
    detail = api.get(f"/api/runs/{body['runId']}").json()
    assert [(each["attempt"], each["state"]) for each in detail["attemptList"]] == [
        (1, "failed"),
        (2, "failed"),
    ]
    assert all("RuntimeError: not this time" in each["traceback"] for each in detail["attemptList"])
    assert body["execution"]["duration"] >= 25


def test_a_job_that_takes_longer_than_it_may_says_after_how_long(api):
    answer = api.post("/api/cron/execute/limited")

    assert answer.status_code == 500
    body = answer.json()
    assert body["error"] == "Job timeout after 1 seconds"
    assert body["execution"]["status"] == "failed"
    assert 900 <= body["execution"]["duration"] < 5_000


def test_a_job_that_is_already_running_answers_409(api):
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(api.post, "/api/cron/execute/alone", json={"args": [2.0]})
        time.sleep(1.0)

        second = api.post("/api/cron/execute/alone")

        assert second.status_code == 409
        body = second.json()
        assert (body["success"], body["skipped"], body["reason"]) == (False, True, "already_running")
        assert body["detail"] == "The job alone is already running; wait until it has ended."
        assert first.result().status_code == 200


def test_of_several_at_once_one_runs_and_the_others_are_told(api):
    with ThreadPoolExecutor(5) as pool:
        calls = [pool.submit(api.post, "/api/cron/execute/alone", json={"args": [1.0]}) for _ in range(5)]
        codes = sorted(call.result().status_code for call in calls)

    assert codes == [200, 409, 409, 409, 409]


def test_a_job_that_is_switched_off_answers_423_and_runs_again_when_on(api):
    api.post("/api/admin/cron-jobs/quick/toggle", json={"enabled": False})
    off = api.post("/api/cron/execute/quick")
    api.post("/api/admin/cron-jobs/quick/toggle", json={"enabled": True})
    on = api.post("/api/cron/execute/quick")

    assert off.status_code == 423
    assert on.status_code == 200


def test_a_wait_that_is_over_first_answers_202_and_the_run_goes_on(api):
    begun = time.monotonic()
    answer = api.post("/api/cron/execute/slow?wait=0.5", json={"args": [3]})

    assert answer.status_code == 202
    body = answer.json()
    assert (body["success"], body["message"]) == (None, "Job slow has not ended yet")
    assert body["execution"]["completedAt"] is None
    place = answer.headers["location"]
    while (found := api.get(place).json())["completedAt"] is None:
        assert time.monotonic() - begun < 60
        time.sleep(0.05)
    assert found["status"] == "completed"


def test_no_wait_at_all_answers_at_once(api):
    answer = api.post("/api/cron/execute/slow?wait=0", json={"args": [0.1]})

    assert answer.status_code == 202
    assert answer.json()["execution"]["status"] in ("pending", "running")


def test_a_client_that_goes_away_does_not_end_the_run(api):
    with pytest.raises(httpx.ReadTimeout):
        api.post("/api/cron/execute/slow", json={"args": [1.2]}, timeout=0.6)

    history = api.get("/api/admin/cron-jobs/slow/history", params={"limit": 1}).json()["history"]
    place = f"/api/runs/{history[0]['id']}"
    deadline = time.monotonic() + 30
    while api.get(place).json()["status"] != "completed":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_answer_comes_soon_after_the_job_is_done(api):
    api.post("/api/cron/execute/quick")
    took = []
    for _ in range(15):
        begun = time.monotonic()
        assert api.post("/api/cron/execute/quick").status_code == 200
        took.append(time.monotonic() - begun)

    assert sorted(took)[len(took) // 2] < 2


def test_log_lines_come_with_the_run(api):
    run_id = api.post("/api/cron/execute/quick", json={"args": [7]}).json()["runId"]

    detail = api.get(f"/api/runs/{run_id}").json()

    assert [line["message"] for line in detail["logs"]] == ["quick was given 7"]
    assert (detail["args"], detail["trigger"], detail["requestedBy"]) == (
        [7],
        "manual",
        "CALLBOARD_API_TOKEN",
    )
