"""Pausing, cancelling and retrying on the pages, and who is offered to."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from streamlit.testing.v1 import AppTest

from callboard.control.auth import Role
from callboard.core.settings import Settings
from callboard.panel import home
from helpers.panel_control import fill_redis

pytestmark = pytest.mark.usefixtures("filled")

Look = Callable[..., AppTest]
QUEUES, JOB, RUN = "views/queues.py", "views/job.py", "views/run.py"


@pytest.fixture(autouse=True)
def tidy(database: psycopg.Connection, panel_settings: Settings) -> Iterator[None]:
    """Whatever a test pauses or makes is gone afterwards."""
    home.settle(panel_settings)
    yield
    database.execute("DELETE FROM callboard.pauses")
    database.execute("DELETE FROM callboard.outbox")
    database.execute("DELETE FROM callboard.runs WHERE retry_of IS NOT NULL OR requested_by = 'test'")
    home.context().redis.flushdb()


def keys(at: AppTest) -> set[str]:
    """The keys of the buttons that are there."""
    return {str(button.key) for button in at.button}


def fill_in(at: AppTest, opener: str, confirm: str, **fields: str) -> None:
    """Open a dialog, fill it in and confirm it; AppTest runs the whole page, so that it opens once more."""
    at.button(key=opener).click().run()
    for name, value in fields.items():
        at.text_input(key=name).set_value(value)
    at.button(key=opener).click()
    at.button(key=confirm).click().run()


def pauses(database: psycopg.Connection) -> list[Any]:
    """What is paused: scope, name, reason, by whom."""
    query = "SELECT scope, name, reason, paused_by FROM callboard.pauses"
    return database.execute(query).fetchall()


def test_a_queue_is_paused_with_a_reason_and_resumed(look: Look, database: psycopg.Connection) -> None:
    at = look(QUEUES, Role.OPERATOR)
    fill_in(at, "pause_default", "pause_confirm", pause_reason="maintenance")
    assert not at.exception
    assert pauses(database) == [("queue", "default", "maintenance", "otto")]
    assert any("The queue default is paused: maintenance" in text.value for text in at.text)

    at.button(key="resume_default").click().run()
    assert pauses(database) == []


def test_a_pause_without_a_reason_is_refused_in_the_dialog(look: Look, database: psycopg.Connection) -> None:
    at = look(QUEUES, Role.OPERATOR)
    fill_in(at, "pause_all", "pause_confirm")
    assert any("Give a reason" in text.value for text in at.text)
    assert pauses(database) == []


def test_that_everything_is_paused_is_said_on_every_page_with_a_way_to_end_it(
    look: Look, database: psycopg.Connection
) -> None:
    database.execute(
        "INSERT INTO callboard.pauses (scope, name, reason, paused_by) VALUES ('all', '', 'moving', 'ada')"
    )
    for page in (None, QUEUES, "views/jobs.py"):
        at = look(page, Role.OPERATOR)
        assert any("Everything is paused: moving" in text.value for text in at.text), page
    at.button(key="resume_banner").click().run()
    assert pauses(database) == []


def test_a_job_is_paused_and_resumed_on_its_page(look: Look, database: psycopg.Connection) -> None:
    at = look(JOB, Role.OPERATOR, job="health-check")
    fill_in(at, "pause_job", "pause_confirm", pause_reason="too loud")
    assert pauses(database) == [("job", "health-check", "too loud", "otto")]
    at.button(key="resume_job").click().run()
    assert pauses(database) == []


def test_breakers_are_shown_with_their_cause_and_closed(look: Look) -> None:
    context = home.context()
    fill_redis(context.redis, context.keys)
    at = look(QUEUES, Role.OPERATOR)
    assert {"reset_whatsapp", "reset_cloudflare-stream"} <= keys(at)
    assert "reset_smtp" not in keys(at)
    at.button(key="reset_whatsapp").click().run()
    assert context.redis.exists(context.keys.breaker("whatsapp")) == 0


def unfinished(database: psycopg.Connection, state: str) -> str:
    """A run in that state."""
    row = database.execute(
        "INSERT INTO callboard.runs (run_id, enqueued_at, job, queue, state, rank, requested_by, started_at)"
        " VALUES (gen_random_uuid(), now(), 'health-check', 'default', %s, 10, 'test',"
        " CASE WHEN %s <> 'pending' THEN now() END) RETURNING run_id",
        (state, state),
    ).fetchone()
    assert row is not None
    return str(row[0])


def test_a_run_that_waits_is_cancelled_with_a_reason(look: Look, database: psycopg.Connection) -> None:
    run_id = unfinished(database, "pending")
    at = look(RUN, Role.OPERATOR, run=run_id)
    fill_in(at, "cancel_run", "cancel_confirm", cancel_reason="by mistake")
    assert not at.exception
    row = database.execute("SELECT state, reason FROM callboard.runs WHERE run_id = %s", (run_id,)).fetchone()
    assert row == ("cancelled", "cancelled by otto: by mistake")


def test_a_run_that_failed_is_done_again_and_leads_to_the_new_one(
    look: Look, database: psycopg.Connection
) -> None:
    run_id = unfinished(database, "failed")
    at = look(RUN, Role.OPERATOR, run=run_id)
    assert "cancel_run" not in keys(at)
    at.button(key="retry_now").click().run()
    row = database.execute("SELECT run_id FROM callboard.runs WHERE retry_of = %s", (run_id,)).fetchone()
    assert row is not None
    at = look(RUN, Role.OPERATOR, run=run_id)
    assert f"open_{row[0]}" in keys(at)
    assert "retry_now" not in keys(at)


def test_a_viewer_is_offered_none_of_it(look: Look, database: psycopg.Connection) -> None:
    context = home.context()
    fill_redis(context.redis, context.keys)
    offered = {"pause_all", "pause_default", "pause_job", "reset_whatsapp", "cancel_run", "retry_now"}
    for page, query in (
        (QUEUES, {}),
        (JOB, {"job": "health-check"}),
        (RUN, {"run": unfinished(database, "pending")}),
        (RUN, {"run": unfinished(database, "failed")}),
    ):
        assert not keys(look(page, Role.VIEWER, **query)) & offered
