"""What operators come for, in a real browser: why a queue is slow, and what they do about it."""

import json
import re
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine

from callboard.control.auth import Role, add_user, local_principal
from callboard.core.settings import Settings
from callboard.panel import home
from callboard.storage.engine import make_engine
from helpers.browser import Visitor, click_cell, still
from helpers.letters import add_letters
from helpers.many_runs import add_runs

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("filled", "tokens")]

PASSWORD = "stage-left-42"
JOBS = "('bulk-runs', 'dead-letters', 'bulk-target')"


@pytest.fixture
def engine(panel_settings: Settings, database: psycopg.Connection) -> Iterator[Engine]:
    """The jobs that work on many runs are there; whatever comes of a journey is gone afterwards."""
    home.settle(panel_settings)
    engine = make_engine(panel_settings.database_url)
    database.execute(
        "INSERT INTO callboard.jobs (name, queue, source) VALUES ('bulk-runs', 'default', '')"
        ", ('dead-letters', 'default', ''), ('bulk-target', 'default', '')"
    )
    yield engine
    for rows in (
        f"runs WHERE job IN {JOBS}",
        "bulk_actions",
        "outbox",
        "pauses",
        f"jobs WHERE name IN {JOBS}",
        "users WHERE name = 'adele'",
    ):
        database.execute(f"DELETE FROM callboard.{rows}")
    home.context().redis.flushdb()
    engine.dispose()


def test_why_a_queue_is_slow_is_found_from_the_overview(visit: Callable[[], Visitor], engine: Engine) -> None:
    context = home.context()
    waiting = [f"waits-{number}" for number in range(12)]
    context.redis.rpush(context.keys.queue("mail"), *waiting)
    sent = round(time.time() * 1000) - 900_000
    stamps = {name: json.dumps({"message_timestamp": sent}) for name in waiting}
    context.redis.hset(context.keys.messages("mail"), mapping=stamps)
    visitor = visit()
    page = visitor.sign_in("vera", PASSWORD)
    visitor.ready()

    tile = page.locator(".st-key-tile_mail")
    expect(tile.get_by_text("No worker serves it")).to_be_visible()
    tile.get_by_role("button", name="mail").click()

    expect(page.get_by_role("heading", name="Health")).to_be_visible()
    expect(page.get_by_text("12 runs are due, and no live worker serves the queue.").first).to_be_visible()
    expect(page.get_by_text(re.compile("^Start (a|1) worker")).first).to_be_visible()


def test_a_queue_is_paused_with_a_reason_and_goes_on(
    visit: Callable[[], Visitor], engine: Engine, database: psycopg.Connection
) -> None:
    visitor = visit()
    page = visitor.sign_in("otto", PASSWORD, "/queues")
    visitor.ready()

    page.locator(".st-key-pause_mail").get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Why").fill("the mail server moves")
    dialog.get_by_role("button", name="Pause").click()

    expect(page.get_by_text("The queue mail is paused: the mail server moves")).to_be_visible()
    expect(page.get_by_text("drained")).to_be_visible()
    page.locator(".st-key-resume_mail").get_by_role("button").click()
    expect(page.get_by_text("The queue mail goes on.")).to_be_visible()
    assert database.execute("SELECT count(*) FROM callboard.pauses").fetchone() == (0,)


def test_a_run_that_waits_is_cancelled_with_a_reason(
    visit: Callable[[], Visitor], engine: Engine, database: psycopg.Connection
) -> None:
    (run_id,) = add_runs(engine, 1, "pending", job="bulk-target")
    visitor = visit()
    page = visitor.sign_in("otto", PASSWORD, f"/run?run={run_id}")
    visitor.ready()

    page.locator(".st-key-cancel_run").get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("sent by mistake")
    dialog.get_by_role("button", name="Cancel").last.click()

    expect(page.get_by_text("cancelled by otto: sent by mistake").first).to_be_visible()
    row = database.execute("SELECT state FROM callboard.runs WHERE run_id = %s", (run_id,)).fetchone()
    assert row == ("cancelled",)


def test_dead_letters_of_one_error_are_requeued(
    visit: Callable[[], Visitor], engine: Engine, database: psycopg.Connection
) -> None:
    context = home.context()
    add_letters(engine, context.redis, context.keys, 5, job="bulk-target", error="no luck", mark="cafe")
    visitor = visit()
    page = visitor.sign_in("otto", PASSWORD, "/dead-letters?q=no+luck")
    visitor.ready()

    table = page.get_by_test_id("stDataFrame")
    table.scroll_into_view_if_needed()
    page.wait_for_timeout(600)
    box = table.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 90, box["y"] + 31 * 1.5)
    page.get_by_role("dialog").get_by_role("button", name="Requeue all").click()

    expect(page.get_by_text("Requeuing 5 dead letters.")).to_be_visible()
    query = "SELECT what, total, requested_by FROM callboard.bulk_actions"
    assert database.execute(query).fetchall() == [("requeue", 5, "otto")]


def test_a_session_that_an_admin_ends_is_over_in_the_tab_that_is_open(
    visit: Callable[[], Visitor], engine: Engine, database: psycopg.Connection
) -> None:
    # Given somebody who looks at a run that they may cancel
    (run_id,) = add_runs(engine, 1, "pending", job="bulk-target")
    add_user(home.context(), local_principal(), "adele", Role.OPERATOR, PASSWORD)
    open_tab = visit().sign_in("adele", PASSWORD, f"/run?run={run_id}")
    cancel = open_tab.locator(".st-key-cancel_run").get_by_role("button")
    expect(cancel).to_be_visible()

    # When an admin signs them out everywhere
    visitor = visit()
    page = visitor.sign_in("ada", PASSWORD, "/users")
    visitor.ready()
    table = page.get_by_test_id("stDataFrame")
    names = [row[0] for row in database.execute("SELECT name FROM callboard.users ORDER BY name").fetchall()]
    click_cell(page, table, names.index("adele"), from_right=round(still(table)["width"]) - 30)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("adele")).to_be_visible()
    dialog.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_text("adele is signed out.")).to_be_visible()

    # Expect the tab to say so by itself, to have nothing to press, and nothing to have come of it
    expect(open_tab.get_by_text("You are signed out")).to_be_visible(timeout=15_000)
    expect(open_tab.get_by_role("button", name=re.compile("Cancel|Sign out"))).to_have_count(0)
    open_tab.keyboard.press("Alt+x")
    expect(open_tab.get_by_role("dialog")).to_have_count(0)
    row = database.execute("SELECT state FROM callboard.runs WHERE run_id = %s", (run_id,)).fetchone()
    assert row == ("pending",)
