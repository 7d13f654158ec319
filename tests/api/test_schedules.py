"""`/api/schedules`: listed, explained, previewed, made and changed."""

from datetime import UTC, datetime, timedelta

import pytest

from helpers.declarations import audit, declare, job
from helpers.schedules import execute, fetch

NOW = datetime.now(UTC).replace(microsecond=0)
NEW = {"job": "greet", "key": "early", "expr": "0 8 * * *", "tz": "Europe/Paris"}


@pytest.fixture
def jobs(engine):
    declare(engine, job("health-check", "*/5 * * * *"), job("greet"))


@pytest.fixture
def declared(engine, jobs):
    """The id of the schedule that code declares; three of its slots are decided, one missed."""
    execute(
        engine,
        "UPDATE callboard.schedules SET checked_until = now() + interval '1 day'"
        ", created_at = now() - interval '1 day', changed_at = now() - interval '1 day'",
    )
    execute(
        engine,
        "INSERT INTO callboard.occurrences (schedule_id, due_at, job_name, disposition, reason)"
        " SELECT id, date_bin('5 min', now(), 'epoch') - n * interval '5 min', job_name"
        "      , CASE n WHEN 2 THEN 'missed' ELSE 'skipped_paused' END, 'so'"
        "   FROM callboard.schedules, generate_series(1, 3) n",
    )
    return fetch(engine, "SELECT id FROM callboard.schedules")[0]


def test_schedules_are_listed_and_looked_at(api, declared):
    (only,) = api.get("/api/schedules").json()["schedules"]

    assert (only["id"], only["words"], only["origin"]) == (declared, "Every 5 minutes", "code")
    assert (only["enabled"], only["jobEnabled"], only["edited"]) == (True, True, False)
    assert only["last"]["disposition"] == "skipped_paused"
    answer = api.get(f"/api/schedules/{declared}")
    assert answer.json() == only
    assert answer.headers["etag"].startswith('"20')
    assert api.get("/api/schedules", params={"job": "greet"}).json() == {"schedules": []}
    assert api.get("/api/schedules", params={"job": "gret"}).json()["matches"] == ["greet"]
    assert api.get("/api/schedules/999").json()["detail"].startswith("There is no schedule 999")


def test_a_schedule_is_made_changed_switched_and_deleted(api, engine, jobs):
    made = api.post("/api/schedules", json=NEW)
    assert made.status_code == 201
    address = f"/api/schedules/{made.json()['id']}"
    assert (made.json()["misfire"], made.json()["changedBy"]) == ("run_once", "CALLBOARD_API_TOKEN")

    changed = api.patch(address, json={"expr": "0 9 * * *"}, headers={"If-Match": made.headers["etag"]})
    assert (changed.json()["expr"], changed.json()["tz"]) == ("0 9 * * *", "Europe/Paris")
    assert changed.headers["etag"] != made.headers["etag"]

    assert api.post(f"{address}/disable").json()["enabled"] is False
    assert api.post(f"{address}/enable").json()["enabled"] is True
    assert api.post(f"{address}/reset").status_code == 409
    assert api.delete(address).json() == {"success": True}
    assert api.delete(address).status_code == 404
    assert [row["outcome"] for row in audit(engine)] == ["done"] * 4 + ["refused", "done", "refused"]


@pytest.mark.parametrize(("method", "more"), [("PATCH", {"json": {"expr": "@daily"}}), ("DELETE", {})])
def test_a_change_of_an_old_version_is_refused(api, jobs, method, more):
    made = api.post("/api/schedules", json=NEW)
    address = f"/api/schedules/{made.json()['id']}"
    api.patch(address, json={"expr": "0 9 * * *"})

    stale = api.request(method, address, headers={"If-Match": made.headers["etag"]}, **more)

    assert stale.status_code == 412
    assert "was changed meanwhile, by " in stale.json()["detail"]
    assert api.get(address).json()["expr"] == "0 9 * * *"
    assert api.request(method, address, headers={"If-Match": "*"}, **more).status_code == 200


def test_a_schedule_of_the_code_is_reset_and_not_deleted(api, declared):
    address = f"/api/schedules/{declared}"
    assert api.patch(address, json={"expr": "@hourly"}).json()["edited"]

    assert api.post(f"{address}/reset").json()["expr"] == "*/5 * * * *"
    refused = api.delete(address)
    assert (refused.status_code, refused.headers["content-type"]) == (409, "application/problem+json")
    assert "switch it off instead" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (NEW | {"expr": "61 * * * *"}, 400, "minute"),
        (NEW | {"tz": "Mars"}, 400, "time zone"),
        (NEW | {"kwargs": {"x": 1}}, 400, "takes no argument"),
        (NEW | {"job": "gret"}, 404, "Did you mean greet"),
        (NEW | {"colour": "red"}, 422, "colour"),
        (NEW | {"misfire": "hope"}, 422, "misfire"),
        (NEW | {"misfireLimit": 10**30}, 400, "misfire_limit"),
        ({"job": "greet"}, 422, "expr"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(api, jobs, body, status, said):
    answer = api.post("/api/schedules", json=body)

    assert answer.status_code == status, answer.text
    assert said in answer.json()["detail"]


def test_an_etag_that_is_none_is_refused(api, declared):
    for tag in ("x", '"2026-01-01"'):
        answer = api.delete(f"/api/schedules/{declared}", headers={"If-Match": tag})
        assert (answer.status_code, "If-Match" in answer.json()["detail"]) == (400, True)


def test_a_preview_shows_runs_and_what_the_clock_does(api_as, jobs):
    body = {"expr": "30 2 * * *", "tz": "Europe/Paris", "from": "2026-03-28T00:00:00Z", "count": 2}

    found = api_as("viewer").post("/api/schedules/preview", json=body).json()

    assert found["words"] == "At 02:30 every day (Europe/Paris)"
    assert [run["local"] for run in found["runs"]] == [
        "2026-03-28T02:30:00+01:00",
        "2026-03-29T03:00:00+02:00",
    ]
    assert found["runs"][1]["note"].startswith("the clock skips 02:30")
    assert found["change"] is None


def test_the_preview_of_an_edit_counts_the_slots_that_go_and_come(api, declared):
    found = api.post("/api/schedules/preview", json={"schedule": declared, "expr": "*/10 * * * *"}).json()

    change = found["change"]
    assert (change["gone"], change["new"], change["kept"]) == (1008, 0, 1008)
    assert (change["perDayBefore"], change["perDayAfter"]) == (288, 144)
    assert len(change["goneSlots"]) == 50
    assert api.get(f"/api/schedules/{declared}").json()["expr"] == "*/5 * * * *"
    assert api.post("/api/schedules/preview", json={}).status_code == 400
    assert api.post("/api/schedules/preview", json={"schedule": 999}).status_code == 404


def test_templates_are_listed_tried_and_applied(api, jobs):
    listed = api.get("/api/schedules/templates").json()
    assert [each["title"] for each in listed["templates"]][:2] == [
        "Competition Active",
        "Standard Operations",
    ]
    assert {"title": "Hourly", "expr": "0 * * * *"} in listed["suggestions"]
    body = {"template": "off-season", "sync": "health-check", "totals": "greet"}

    tried = api.post("/api/schedules/apply", json=body | {"dryRun": True}).json()
    assert len(api.get("/api/schedules").json()["schedules"]) == 1
    done = api.post("/api/schedules/apply", json=body).json()

    assert (tried["dryRun"], done["dryRun"]) == (True, False)
    assert [[step["what"] for step in each["steps"]] for each in done["jobs"]] == [
        ["add", "disable"],
        ["add"],
    ]
    on = [each["key"] for each in api.get("/api/schedules").json()["schedules"] if each["enabled"]]
    assert on == ["template:off-season"] * 2


def test_the_ledger_is_read_page_by_page(api, declared):
    first = api.get("/api/schedules/ledger", params={"limit": 2}).json()
    rest = api.get("/api/schedules/ledger", params={"limit": 2, "cursor": first["nextCursor"]}).json()
    assert [len(first["slots"]), len(rest["slots"]), rest["nextCursor"]] == [2, 1, None]

    of_it = api.get(f"/api/schedules/{declared}/ledger", params={"disposition": ["missed", "late"]}).json()
    assert [slot["disposition"] for slot in of_it["slots"]] == ["missed"]
    assert api.get("/api/schedules/999/ledger").status_code == 404
    assert api.get("/api/schedules/ledger", params={"disposition": "hoped"}).status_code == 400
    assert api.get("/api/schedules/ledger", params={"cursor": "x"}).status_code == 400
    assert api.get("/api/schedules/ledger", params={"job": "greet"}).json()["slots"] == []


def test_why_is_answered_in_words(api, engine, declared):
    at = fetch(engine, "SELECT due_at FROM callboard.occurrences WHERE disposition = 'missed'")[0]

    answer = api.get("/api/jobs/health-check/why", params={"at": at.isoformat()}).json()

    assert "did not run: missed, so. No scheduler had claimed it in time" in answer["answer"]
    assert [slot["disposition"] for slot in answer["slots"]] == ["missed"]
    between = (at + timedelta(minutes=2)).isoformat()
    found = api.get("/api/jobs/health-check/why", params={"at": between}).json()
    assert found["answer"].startswith("No slot of health-check falls due at ")
    assert api.get("/api/jobs/health-check/why", params={"at": "noon"}).status_code == 400
    assert api.get("/api/jobs/nothing/why", params={"at": "8:00"}).status_code == 404


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_moments_at_the_ends_of_time_are_refused(api, declared, moment):
    answers = [
        api.post("/api/schedules/preview", json={"expr": "@daily", "from": moment}),
        api.post("/api/schedules/preview", json={"schedule": declared, "from": moment}),
        api.get("/api/jobs/health-check/why", params={"at": moment}),
        api.get("/api/schedules/ledger", params={"since": moment}),
        api.get("/api/schedules/ledger", params={"until": moment}),
    ]

    assert [answer.status_code for answer in answers] == [400] * 5
    assert all("out of reach" in answer.json()["detail"] for answer in answers)


def test_the_last_slots_of_a_rare_schedule_are_shown_and_no_more(api, jobs):
    body = {"expr": "0 0 29 2 */7", "tz": "Pacific/Auckland", "from": "2199-01-01T00:00:00Z", "count": 1000}

    found = api.post("/api/schedules/preview", json=body).json()

    assert 100 < len(found["runs"]) < 1000
