"""`callboard schedules`."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from helpers.declarations import audit, declare, job
from helpers.schedules import execute, fetch

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def decided(installed: Engine) -> Engine:
    """The health check has run for an hour; one of its slots was missed."""
    execute(
        installed,
        "UPDATE callboard.schedules SET checked_until = now(), created_at = now() - interval '1 day'"
        ", changed_at = now() - interval '1 day'",
    )
    execute(
        installed,
        "INSERT INTO callboard.occurrences (schedule_id, due_at, job_name, disposition, reason)"
        " SELECT id, date_bin('5 min', now(), 'epoch') - n * interval '5 min', job_name"
        "      , CASE n WHEN 2 THEN 'missed' ELSE 'skipped_paused' END, 'because of [x]'"
        "   FROM callboard.schedules, generate_series(0, 11) n",
    )
    return installed


def test_schedules_are_listed_and_shown(run: Any, decided: Engine) -> None:
    listed = run("schedules", "list")
    assert listed.code == 0
    assert "health-check/code:1" in listed.out
    assert "Every 5 minutes" in listed.out
    assert "skipped_paused" in listed.out
    assert json.loads(run("schedules", "list", "--json").out)[0]["expr"] == "*/5 * * * *"

    shown = run("schedules", "show", "health-check")
    assert "run_once, at most 100" in shown.out
    assert shown.out.count(f"{NOW:%Y}-") >= 5
    assert "no job named" in run("schedules", "list", "--job", "nothing").err
    assert "greet has no schedule" in run("schedules", "show", "greet").err


def test_why_lists_each_slot_once_with_its_reason(run: Any, decided: Engine) -> None:
    shown = run("schedules", "why", "health-check", "--since", "59min")

    lines = [line for line in shown.out.splitlines() if "because of [x]" in line]
    assert len(lines) in (11, 12)
    assert sum("missed" in line for line in lines) == 1
    rows = json.loads(run("schedules", "why", "health-check", "--json").out)
    assert len(rows) == 12
    assert rows[0]["disposition"] == "skipped_paused"
    assert "not due in the last 24h" in run("schedules", "why", "greet").err
    more = run("schedules", "why", "health-check", "--limit", "2")
    assert "There are more than 2" in more.err


def test_why_answers_for_one_time_in_plain_words(run: Any, decided: Engine) -> None:
    at = fetch(decided, "SELECT due_at FROM callboard.occurrences WHERE disposition = 'missed'")[0]

    said = run("schedules", "why", "health-check", "--at", at.isoformat())
    assert "did not run: missed, because of [x]. No scheduler had claimed it in time" in said.out
    assert run("schedules", "why", "health-check", "--at", f"{at:%H:%M}").out == said.out
    answer = json.loads(run("schedules", "why", "health-check", "--at", at.isoformat(), "--json").out)
    assert [answer["sentences"][0] + "\n", len(answer["slots"])] == [said.out, 1]

    off = (at + timedelta(minutes=2)).isoformat()
    assert run("schedules", "why", "health-check", "--at", off).out.startswith("No slot of health-check")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("why", "nothing"), "no job named 'nothing'"),
        (("why", "health-check", "--at", "noon"), "'noon' is no moment"),
        (("why", "health-check", "--since", "ages"), "'ages' is no span of time"),
        (("why", "health-check", "--at", "8:00", "--tz", "Mars"), "time zone 'Mars' is unknown"),
        (("add", "greet", "61 * * * *"), "minute"),
        (("add", "greet", "@daily"), "needs the argument 'name'"),
        (("add", "greet", "@daily", "--set", "name"), "--set takes NAME=VALUE"),
        (("edit", "health-check"), "Say what to change"),
        (("edit", "health-check", "--misfire", "hope"), "no policy 'hope'"),
        (("remove", "health-check"), "switch it off instead"),
        (("preview", "x"), "'x'"),
        (("apply", "winter", "--sync", "a", "--totals", "b"), "no template 'winter'"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_sentence(
    run: Any, installed: Engine, arguments: tuple[str, ...], said: str
) -> None:
    done = run("schedules", *arguments)

    assert done.code in (1, 2)
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_schedule_is_made_edited_switched_and_deleted(run: Any, installed: Engine) -> None:
    made = run(
        "schedules", "add", "greet", "0 8 * * *", "Ada", "--set", "times=2", "--name", "early",
        "--tz", "Europe/Paris",
    )  # fmt: skip
    assert made.out == "greet/early is made: At 08:00 every day (Europe/Paris).\n"
    row = json.loads(run("schedules", "show", "greet", "--json").out)
    assert (row["args"], row["kwargs"], row["origin"]) == (["Ada"], {"times": 2}, "operator")

    tried = run("schedules", "edit", "greet", "--cron", "0 9 * * *", "--dry-run")
    assert tried.out.startswith("greet/early would say: At 09:00 every day (Europe/Paris).\n")
    edited = run("schedules", "edit", "greet", "--cron", "0 9 * * *")
    assert "0 slots stay, 7 go, 7 come." in edited.out
    assert "Runs a day: 1 before, 1 after." in edited.out

    assert run("schedules", "disable", "greet/early").out == "greet/early is switched off.\n"
    assert run("schedules", "disable", "greet/early").out == "greet/early was switched off already.\n"
    assert run("schedules", "enable", str(row["id"])).out == "greet/early is switched on.\n"
    assert "greet/early is deleted" in run("schedules", "remove", "greet").out
    actions = [entry["action"] for entry in audit(installed)]
    assert actions == [
        "add_schedule",
        "edit_schedule",
        "disable_schedule",
        "disable_schedule",
        "enable_schedule",
        "remove_schedule",
    ]


def test_an_edit_of_the_codes_schedule_is_reset(run: Any, installed: Engine) -> None:
    run("schedules", "edit", "health-check", "--cron", "@hourly")
    assert "The code says" in run("schedules", "show", "health-check").out

    assert run("schedules", "reset", "health-check").out == (
        "health-check/code:1 is as its code says: Every 5 minutes.\n"
    )


def test_a_preview_shows_the_next_runs_and_what_the_clock_does(run: Any) -> None:
    shown = run(
        "schedules", "preview", "30 2 * * *", "--tz", "Europe/Paris", "--from", "2026-03-28", "--count", "3"
    )

    assert shown.out.startswith("At 02:30 every day (Europe/Paris).\n")
    assert "Sun 2026-03-29 03:00:00   2026-03-29 01:00:00   the clock skips 02:30" in shown.out
    assert "Mon 2026-03-30 02:30:00   2026-03-30 00:30:00" in shown.out
    runs = json.loads(run("schedules", "preview", "*/5 * * * *", "--json").out)["runs"]
    assert len(runs) == 50


def test_a_template_is_tried_and_applied(run: Any, installed: Engine) -> None:
    declare(installed, job("fetch", "*/30 * * * *"), job("sum"))
    assert "coordinated-hourly" in run("schedules", "templates").out
    assert len(json.loads(run("schedules", "templates", "--json").out)["templates"]) == 5
    arguments = ("schedules", "apply", "off-season", "--sync", "fetch", "--totals", "sum")

    assert run(*arguments, "--dry-run").out.startswith("Off-Season would do this:")
    assert "sum" not in run("schedules", "list").out
    assert run(*arguments).out.startswith("Off-Season is applied:")

    listed = {each["key"]: each["enabled"] for each in json.loads(run("schedules", "list", "--json").out)}
    assert listed["template:off-season"]
    assert not listed["code:1"]
