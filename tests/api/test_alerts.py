"""Alerts over HTTP."""

from datetime import UTC, datetime, timedelta

import pytest

from callboard.storage.alerts import open_alert, resolve_alert


@pytest.fixture
def opened(engine):
    with engine.begin() as connection:
        open_alert(connection, "health", "disk", "Full.", severity="critical", share=0.01)
        open_alert(connection, "breaker_open", "mail", "The breaker mail is open: down.")
        open_alert(connection, "breaker_open", "over", "The breaker over is open: down.")
        resolve_alert(connection, "breaker_open", "over")


def subjects(api, **parameters):
    return [each["subject"] for each in api.get("/api/alerts", params=parameters).json()["alerts"]]


def test_open_alerts_are_listed_and_those_that_are_over_where_that_is_asked_for(api, opened):
    assert subjects(api) == ["mail", "disk"]
    assert subjects(api, open=False) == ["over", "mail", "disk"]
    assert subjects(api, open=False, kind="breaker_open", limit=1) == ["over"]
    (found,) = api.get("/api/alerts?kind=health").json()["alerts"]
    assert (found["severity"], found["message"], found["details"]) == ("critical", "Full.", {"share": 0.01})
    assert found["openedAt"]
    assert found["resolvedAt"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "kind=", "open=perhaps"])
def test_what_makes_no_sense_is_refused(api, query):
    assert api.get(f"/api/alerts?{query}").status_code == 422


def test_an_alert_is_acknowledged_and_that_is_taken_back(api, api_as, opened):
    (disk,) = api.get("/api/alerts?kind=health").json()["alerts"]
    path = f"/api/alerts/{disk['id']}"

    assert api_as("viewer").post(f"{path}/acknowledge", json={}).status_code == 403
    done = api_as("operator").post(f"{path}/acknowledge", json={"note": "on it"}).json()
    assert (done["acknowledgedBy"], done["ackNote"]) == ("token:a operator", "on it")
    assert done["resolvedAt"] is None
    assert api.post(f"{path}/unacknowledge").json()["acknowledgedAt"] is None
    assert api.post("/api/alerts/999999/acknowledge", json={}).status_code == 404


def test_alerts_are_silenced_and_the_silence_ended(api, opened):
    wanted = {"kind": "health", "untilAt": "2999-01-01T00:00:00Z", "reason": "moving"}
    assert api.post("/api/silences", json=wanted).status_code == 400
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()

    made = api.post("/api/silences", json=wanted | {"untilAt": soon})
    assert made.status_code == 201
    (disk,) = api.get("/api/alerts?kind=health").json()["alerts"]
    assert disk["silenceReason"] == "moving"
    assert api.get("/api/silences").json()["silences"] == [made.json()]
    ended = api.post(f"/api/silences/{made.json()['id']}/end").json()
    assert ended["endedBy"]
    assert api.get("/api/silences").json()["silences"] == []
