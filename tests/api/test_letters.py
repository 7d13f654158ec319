import pytest

from callboard.control.context import Context
from helpers.declarations import declare, job
from helpers.letters import add_letters, left


@pytest.fixture
def letters(engine, settings):
    """Three dead letters of one error and one of another; the ids of their runs."""
    declare(engine, job("greet"), job("wave"), job("dead-letters"))
    with Context(settings) as context:
        one = add_letters(engine, context.redis, context.keys, 3, mark="aaaa")
        other = add_letters(engine, context.redis, context.keys, 1, job="wave", mark="bbbb")
    return [str(each) for each in (*one, *other)]


def test_letters_are_listed_and_grouped(api, letters):
    page = api.get("/api/dead-letters", params={"limit": 2, "job": "greet"}).json()
    rest = api.get("/api/dead-letters", params={"job": "greet", "cursor": page["nextCursor"]}).json()
    assert [each["runId"] for each in page["letters"] + rest["letters"]] == letters[:3]
    assert rest["nextCursor"] is None
    assert page["letters"][0]["fingerprint"] == "aaaa"

    groups = api.get("/api/dead-letters/groups").json()["groups"]
    assert [(each["fingerprint"], each["letters"]) for each in groups] == [("aaaa", 3), ("bbbb", 1)]


def test_some_are_requeued_and_dropped(api, engine, letters):
    dealt = api.post("/api/dead-letters/requeue", json={"runIds": letters[:2]}).json()
    assert sorted(dealt["done"]) == sorted(letters[:2])
    new = api.get(f"/api/runs/{dealt['runs'][0]}")
    assert new.status_code == 200
    assert api.post("/api/dead-letters/requeue", json={"runIds": letters[:2]}).status_code == 404
    assert api.post("/api/dead-letters/drop", json={"runIds": letters[2:3]}).json()["runs"] == []
    assert left(engine) == 1


def test_many_are_asked_for_once_looked_at_and_aborted(api, engine, letters):
    body = {"what": "requeue", "filter": {"fingerprint": "aaaa"}}
    first = api.post("/api/dead-letters/bulk", json=body).json()
    second = api.post("/api/dead-letters/bulk", json=body).json()
    assert (first["new"], second["new"]) == (True, False)
    assert first["action"] == second["action"]
    address = f"/api/dead-letters/bulk/{first['action']['id']}"
    assert api.get(address).json()["total"] == 3
    assert api.post(f"{address}/abort").json()["state"] == "aborted"
    assert api.post(f"{address}/abort").status_code == 409
    assert [each["state"] for each in api.get("/api/dead-letters/bulk").json()["actions"]] == ["aborted"]
    assert left(engine) == 4


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/dead-letters?cursor=x", None, 400),
        ("GET", "/api/dead-letters?since=2026-01-01T00:00:00", None, 400),
        ("GET", "/api/dead-letters?text=%00", None, 200),
        ("POST", "/api/dead-letters/bulk", {"what": "eat", "filter": {}}, 422),
        ("POST", "/api/dead-letters/bulk", {"what": "drop", "filter": {"job": "nobody"}}, 404),
        ("POST", "/api/dead-letters/requeue", {"runIds": []}, 422),
        ("POST", "/api/dead-letters/bulk", {"what": "drop", "filter": {"jbo": "wave"}}, 422),
        ("POST", "/api/dead-letters/bulk", {"what": "drop", "filter": {}, "job": "wave"}, 422),
    ],
)
def test_what_makes_no_sense_is_refused(api, letters, method, path, body, status):
    assert api.request(method, path, json=body).status_code == status
