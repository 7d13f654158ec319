"""The pages of runs and of one queue: searching, selecting, retrying and cancelling, many at once."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from callboard.control.auth import Role
from callboard.core.settings import Settings
from callboard.panel import home
from callboard.storage.engine import make_engine
from helpers.many_runs import add_runs, states

pytestmark = pytest.mark.usefixtures("filled")

Look = Callable[..., AppTest]
RUNS, QUEUE = "views/runs.py", "views/queue.py"


@pytest.fixture
def engine(panel_settings: Settings, database: psycopg.Connection) -> Iterator[Engine]:
    """Runs of the job bulk-target are made with it; all that comes of them is gone afterwards."""
    home.settle(panel_settings)
    engine = make_engine(panel_settings.database_url)
    database.execute(
        "INSERT INTO callboard.jobs (name, queue, source) VALUES ('bulk-runs', 'default', ''),"
        " ('bulk-target', 'default', '')"
    )
    yield engine
    for table in ("runs WHERE job IN ('bulk-runs', 'bulk-target')", "bulk_actions", "outbox", "pauses",
                  "jobs WHERE name IN ('bulk-runs', 'bulk-target')"):  # fmt: skip
        database.execute(f"DELETE FROM callboard.{table}")
    home.context().redis.flushdb()
    engine.dispose()


def rows(at: AppTest) -> Any:
    """The table of runs."""
    (found,) = [frame.value for frame in at.dataframe if "action" not in frame.value]
    return found


def keys(at: AppTest) -> set[str]:
    """The keys of the buttons that are there."""
    return {str(button.key) for button in at.button}


def select(at: AppTest, *positions: int) -> None:
    """Select rows of the table."""
    key = at.session_state["runs_sent"].key
    at.session_state[key] = {"selection": {"rows": list(positions), "columns": [], "cells": []}}


def test_a_search_and_a_tab_are_in_the_address_and_narrow_each_other(look: Look, engine: Engine) -> None:
    add_runs(engine, 3, job="bulk-target", error="[red]=1+1")
    add_runs(engine, 2, "pending", job="bulk-target")

    at = look(RUNS, q="job:bulk-target")
    assert not at.exception
    assert len(rows(at)) == 5
    assert at.button(key="tab_failed").label.startswith("Failed :gray[3]")
    at.button(key="tab_failed").click().run()
    assert at.query_params["state"] == "failed"
    assert list(rows(at)["error"]) == ["ValueError: [red]=1+1"] * 3

    at = look(RUNS, q="job:bulk-target state:pending", state="failed")
    assert len(rows(at)) == 2
    assert "tab_failed" not in keys(at)
    at.text_input(key="q").set_value("jbo:x").run()
    assert any("Did you mean job?" in text.value for text in at.text)


def test_a_queue_shows_what_waits_its_jobs_and_its_runs(look: Look, engine: Engine) -> None:
    add_runs(engine, 2, job="bulk-target")
    add_runs(engine, 1, job="bulk-target", queue="elsewhere")

    at = look(QUEUE, queue="default", q="job:bulk-target")
    assert not at.exception
    assert {"Waiting", "Delayed", "Parked", "Taken", "Dead"} <= {metric.label for metric in at.metric}
    assert "queue_job_bulk-target" in keys(at)
    assert len(rows(at)) == 2
    assert "queue" not in rows(at)
    at = look(QUEUE, queue="nowhere")
    assert any("There is no queue 'nowhere'" in text.value for text in at.text)


def test_pages_follow_each_other_by_their_cursor(look: Look, engine: Engine) -> None:
    runs = add_runs(engine, 60, job="bulk-target")
    at = look(RUNS, q="job:bulk-target")
    first = list(rows(at)["run"])
    at.button(key="runs_earlier").click().run()
    assert at.query_params["after"]
    assert [str(run_id)[:8] for run_id in runs] == first + list(rows(at)["run"])
    at.button(key="runs_latest").click().run()
    assert list(rows(at)["run"]) == first


def test_a_search_that_has_no_time_says_so_and_offers_to_look_further(
    look: Look, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callboard.panel.loaders.AT_ONCE_S", 0)
    add_runs(engine, 1, job="bulk-target", age=3_000)
    at = look(RUNS, q="job:bulk-target")
    assert not at.dataframe
    assert any("No run fits among those looked at so far." in text.value for text in at.caption)
    assert any(">counted back to " in text.value for text in at.html)
    assert any("0 runs so far; looked back to " in text.value for text in at.html)
    at.button(key="runs_earlier").click().run()
    assert len(rows(at)) == 1
    assert not any("looked back to" in text.value for text in at.html)


def test_selected_rows_are_those_that_were_sent_whatever_has_come_since(
    look: Look, engine: Engine, database: psycopg.Connection
) -> None:
    older = add_runs(engine, 3, job="bulk-target")
    at = look(RUNS, Role.OPERATOR, q="job:bulk-target")
    select(at, 0, 2)
    add_runs(engine, 4, job="bulk-target", age=1)
    at.run()
    assert len(rows(at)) == 3
    assert at.button(key="bulk_retry").label == "Retry 2 selected"

    at.button(key="bulk_retry").click().run()
    at.button(key="bulk_retry").click()
    at.button(key="bulk_confirm").click().run()

    again = database.execute("SELECT retry_of FROM callboard.runs WHERE retry_of IS NOT NULL").fetchall()
    assert {row[0] for row in again} == {older[0], older[2]}


@pytest.mark.parametrize(
    ("role", "offered"), [(Role.VIEWER, set()), (Role.OPERATOR, {"bulk_retry", "bulk_cancel"})]
)
def test_a_viewer_is_offered_to_look_alone(look: Look, engine: Engine, role: Role, offered: set[str]) -> None:
    add_runs(engine, 1, job="bulk-target")
    add_runs(engine, 1, "pending", job="bulk-target")
    at = look(RUNS, role, q="job:bulk-target")
    assert {key for key in keys(at) if key.startswith("bulk_")} == offered


def test_all_that_match_are_cancelled_in_the_background_until_that_is_aborted(
    look: Look, engine: Engine, database: psycopg.Connection
) -> None:
    add_runs(engine, 3, "pending", job="bulk-target")
    at = look(QUEUE, Role.OPERATOR, queue="default", q="job:bulk-target")
    at.button(key="bulk_cancel").click().run()
    assert at.button(key="bulk_confirm").label == "Cancel 3 runs"
    at.button(key="bulk_cancel").click()
    at.button(key="bulk_confirm").click().run()

    query = "SELECT id, what, state, total, filter ->> 'search' FROM callboard.bulk_actions"
    ((action, *what),) = database.execute(query).fetchall()
    assert what == ["cancel", "queued", 3, "queue:default job:bulk-target"]
    at = look(RUNS, Role.OPERATOR)
    at.button(key=f"abort_{action}").click().run()
    ((_, _, state, *_),) = database.execute(query).fetchall()
    assert state == "aborted"
    assert states(engine, "bulk-target") == {"pending": 3}
