"""`callboard alerts`."""

import json
from typing import Any

from sqlalchemy import Engine

from callboard.storage.alerts import open_alert, resolve_alert


def test_alerts_are_listed_until_they_are_over(run: Any, installed: Engine) -> None:
    assert run("alerts", "list").err == "No alert is open.\n"
    with installed.begin() as connection:
        open_alert(connection, "health", "disk", "[red]Full.", severity="critical")

    shown = run("alerts", "list").out
    for words in ("health", "disk", "[red]Full."):
        assert words in shown

    with installed.begin() as connection:
        resolve_alert(connection, "health", "disk")
    assert run("alerts", "list").err == "No alert is open.\n"
    assert run("alerts", "list", "--kind", "other", "--all").err == "There is no such alert.\n"
    (found,) = json.loads(run("alerts", "list", "--all", "--json").out)["alerts"]
    assert (found["subject"], found["severity"]) == ("disk", "critical")
    assert found["resolved_at"]
