"""Alerts over HTTP."""

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
