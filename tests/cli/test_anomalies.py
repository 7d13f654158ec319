"""`callboard anomalies` and `callboard schedules collisions`."""

import json
from typing import Any

from sqlalchemy import Engine

from helpers.rows import change


def test_what_is_out_of_the_ordinary_is_listed(run: Any, installed: Engine) -> None:
    assert run("anomalies").err == "Nothing is out of the ordinary.\n"
    change(installed, "UPDATE callboard.schedules SET checked_until = now() - interval '31 min'")

    shown = run("anomalies", "health-check", "--kind", "missed")

    assert shown.code == 0
    assert "The slot of health-check/code:1 at" in shown.out
    (found,) = json.loads(run("anomalies", "--json").out)["anomalies"]
    assert (found["kind"], found["severity"]) == ("missed", "critical")
    refused = run("anomalies", "--kind", "odd")
    assert (refused.code, "There is no kind 'odd'" in refused.err) == (2, True)


def test_the_coming_week_is_told_by_the_queues_that_share_workers(run: Any, installed: Engine) -> None:
    shown = run("schedules", "collisions")

    assert shown.code == 0
    assert "No worker serves them; at most 1 run at once within the week." in shown.out
    (pool,) = json.loads(run("schedules", "collisions", "--json").out)["pools"]
    assert (pool["queues"], pool["peak"], pool["collisions"]) == (["default"], 1, [])
    assert 168 <= len(pool["hours"]) <= 169
