"""The overview, on three days of history and on none."""

from collections.abc import Callable
from datetime import datetime

import psycopg
import pytest
from streamlit.testing.v1 import AppTest

from callboard.core import display
from callboard.core.clock import utcnow
from callboard.core.cron import cron

pytestmark = pytest.mark.usefixtures("filled")

Look = Callable[..., AppTest]


def metrics(at: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in at.metric}


def test_the_six_figures_are_those_of_the_database(look: Look, database: psycopg.Connection) -> None:
    rows = database.execute(
        "SELECT count(*), count(*) FILTER (WHERE state = 'failed') FROM callboard.runs"
        " WHERE state IN ('succeeded', 'failed')"
    ).fetchone()
    assert rows is not None
    executions, failures = rows

    at = look()

    shown = metrics(at)
    assert not at.exception
    assert shown["Jobs"] == "16"
    assert shown["Switched on"] == "15"
    assert shown["Running now"] == "2"
    assert shown["Waiting"] == "1"
    assert shown["Executions"] == f"{executions:,}"
    assert shown["Failures"] == str(failures)
    assert shown["Success rate"] == display.rate(round(100 * (executions - failures) / executions, 2))


def test_the_banner_names_what_runs_and_how_far_it_is(look: Look) -> None:
    at = look()

    assert any("2 runs in progress" in each.value for each in at.markdown)
    labels = [button.label for button in at.button if button.key and button.key.startswith("running_")]
    assert [label.replace("\\", "") for label in labels] == [
        "calculate-promotion-analytics",
        "process-promotion-deliveries",
    ]
    assert at.progress[0].value == 71
    assert any("7,412 of 10,300, scoring campaigns" in html.value for html in at.html)


def test_what_fails_too_often_is_listed_the_worst_first(look: Look) -> None:
    at = look()

    (attention,) = [frame.value for frame in at.dataframe if "rate" in frame.value]
    assert attention["job"].iloc[0] == "process-referrals"
    assert list(attention["rate"]) == sorted(attention["rate"])
    assert (attention["rate"] < 95).all()


def test_recent_failures_have_their_error_on_one_line(look: Look) -> None:
    at = look()

    (failures,) = [frame.value for frame in at.dataframe if "error" in frame.value]
    assert len(failures) > 3
    assert failures["when"].is_monotonic_decreasing
    assert failures["error"].str.contains("OperationalError|TimeLimitExceeded|HTTPStatusError").any()
    assert not failures["error"].str.contains("\n").any()


def due_after(database: psycopg.Connection, now: datetime) -> list[str]:
    """The jobs that are on and have schedules, those that are due first first."""
    rows = database.execute(
        "SELECT s.job_name, s.expr, s.tz FROM callboard.schedules s"
        " JOIN cron_job_config c ON c.job_name = s.job_name WHERE c.enabled"
    ).fetchall()
    due: dict[str, datetime] = {}
    for name, expr, tz in rows:
        at = cron(expr, tz=tz).next(now)
        due[name] = min(at, due.get(name, at))
    return sorted(due, key=lambda name: (due[name], name))


def test_each_job_that_is_due_is_listed_once_in_order(look: Look, database: psycopg.Connection) -> None:
    begun = utcnow()
    at = look()

    (upcoming,) = [frame.value for frame in at.dataframe if "due" in frame.value]
    names = list(upcoming["job"])
    assert len(names) == len(set(names)) == 14
    assert names in (due_after(database, begun), due_after(database, utcnow()))
    # What is off or has no schedule is not due at all.
    assert not {"cleanup-old-alerts", "export-ledger"} & set(names)


def test_the_next_hour_is_drawn_a_row_a_job_those_under_way_first(look: Look) -> None:
    at = look()

    assert any(each.value == "**The next hour**" for each in at.markdown)
    assert len(at.get("vega_lite_chart")) == 2


def test_a_window_in_the_address_is_obeyed(look: Look) -> None:
    week, day = look(), look(window="24 hours")

    assert day.segmented_control(key="window").value == "24 hours"
    assert int(metrics(day)["Executions"].replace(",", "")) < int(
        metrics(week)["Executions"].replace(",", "")
    )


def test_without_a_session_there_is_nothing_but_the_way_to_sign_in(look: Look) -> None:
    at = look(role=None)

    assert not at.metric
    assert not at.dataframe
    assert "You are signed out" in at.html[0].value
