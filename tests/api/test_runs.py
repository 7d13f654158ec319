"""Runs searched for over HTTP, and logs followed."""

import threading
import time
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from callboard.storage.engine import psycopg_url
from helpers.declarations import declare, job
from helpers.runs import add_run

NOW = datetime.now(UTC)
LINE = "INSERT INTO callboard.log_lines VALUES (%s, %s, 1, %s, now(), 'info', %s)"


@pytest.fixture
def database(database_url):
    with psycopg.connect(psycopg_url(database_url), autocommit=True, row_factory=dict_row) as connection:
        yield connection


def add(database, minutes, state="failed", **columns):
    at = NOW - timedelta(minutes=minutes)
    return str(add_run(database, state, started_at=at, enqueued_at=at, **columns))


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [run["id"] for run in answer.json()["runs"]]


def test_runs_are_searched_for_in_words_and_by_parameters(api, database):
    kwargs = psycopg.types.json.Jsonb({"coach_id": 7})
    failed = add(database, 1, job="sync", error="a timeout", kwargs=kwargs)
    manual = add(database, 2, "succeeded", job="sync", trigger="manual")
    old = add(database, 60 * 26, "dead", job="other")

    words = "state:failed job:sync args.coach_id:7 error:~timeout since:2h"
    assert ids(api.get("/api/runs", params={"q": words})) == [failed]
    assert ids(api.get("/api/runs", params={"args": '{"coach_id": 7}'})) == [failed]
    assert ids(api.get("/api/runs", params={"trigger": "manual", "job": "sync"})) == [manual]
    assert ids(api.get("/api/runs", params={"error": "TIMEOUT", "state": ["failed", "dead"]})) == [failed]
    yesterday = (NOW - timedelta(hours=27)).isoformat()
    assert ids(api.get("/api/runs", params={"since": yesterday, "q": "state:dead"})) == [old]
    assert ids(api.get("/api/runs", params={"until": (NOW - timedelta(hours=3)).isoformat()})) == [old]
    assert ids(api.get("/api/runs")) == [failed, manual]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"q": "stat:failed"}, "Did you mean state?"),
        ({"q": "state:failed", "state": "dead"}, "given both in the words and by itself"),
        ({"trigger": "me"}, "There is no trigger 'me'"),
        ({"args": "[1]"}, "is no JSON object"),
        ({"args": "{"}, "is no JSON object"),
        ({"args": '{"": 1}'}, "is no JSON object"),
        ({"args": '{"a": 1e999}'}, "none that JSON can say"),
        ({"since": "2026-01-01T00:00:00"}, "no time zone"),
        ({"until": "0001-01-01T00:00:00Z"}, "out of reach"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused_in_one_sentence(api, parameters, said):
    answer = api.get("/api/runs", params=parameters)

    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert said in answer.json()["detail"]


def test_a_log_is_followed_until_its_run_has_ended(api, database):
    run_id = add(database, 1, "processing", job="sync")
    sent = NOW - timedelta(minutes=1)
    for number in (1, 2, 3):
        database.execute(LINE, (run_id, sent, number, f"line {number}"))

    first = api.get(f"/api/runs/{run_id}/logs", params={"limit": 2}).json()
    assert [line["message"] for line in first["lines"]] == ["line 1", "line 2"]
    assert (first["after"], first["more"], first["ended"], first["state"]) == (
        "1.2",
        True,
        False,
        "processing",
    )
    second = api.get(f"/api/runs/{run_id}/logs", params={"after": "1.2"}).json()
    assert (second["lines"][0]["seq"], second["after"], second["more"]) == (3, "1.3", False)

    def write():
        time.sleep(0.3)
        database.execute(LINE, (run_id, sent, 4, "at last"))

    writing = threading.Thread(target=write)
    writing.start()
    third = api.get(f"/api/runs/{run_id}/logs", params={"after": "1.3", "wait": 20}).json()
    writing.join()
    assert [line["message"] for line in third["lines"]] == ["at last"]

    database.execute("UPDATE callboard.runs SET state = 'succeeded', rank = 19 WHERE run_id = %s", (run_id,))
    last = api.get(f"/api/runs/{run_id}/logs", params={"after": "1.4", "wait": 20}).json()
    assert (last["lines"], last["after"], last["ended"], last["state"]) == ([], "1.4", True, "succeeded")


def test_a_log_takes_a_place_that_there_is(api, database):
    run_id = add(database, 1)

    assert api.get(f"/api/runs/{run_id}/logs", params={"after": "x"}).status_code == 400
    assert api.get(f"/api/runs/{run_id}/logs", params={"wait": 31}).status_code == 422
    assert api.get("/api/runs/0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d/logs").status_code == 404


def test_a_token_for_one_job_sees_the_logs_of_that_job_only(api, url, engine, database):
    declare(engine, job("sync"), job("other"))
    body = {"name": "narrow", "permissions": ["jobs:view"], "jobs": ["sync"]}
    token = api.post("/api/tokens", json=body).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    mine, other = add(database, 1, job="sync"), add(database, 2, job="other")

    assert httpx.get(f"{url}/api/runs/{mine}/logs", headers=headers).status_code == 200
    assert httpx.get(f"{url}/api/runs/{other}/logs", headers=headers).status_code == 403
