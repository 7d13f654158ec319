"""Journeys through the panel in a real browser."""

import re
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import psycopg
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from psycopg import sql

from callboard.core.settings import Settings
from callboard.storage.embedded import EmbeddedServers
from helpers.browser import RunningPanel, Visitor, open_browser

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("filled", "tokens")]

PASSWORD = "stage-left-42"
ROW = 31


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def panel(panel_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPanel]:
    environ = {
        "DATABASE_URL": panel_settings.database_url,
        "REDIS_URL": panel_settings.redis_url,
        "CALLBOARD_NAMESPACE": panel_settings.callboard_namespace,
        "CALLBOARD_HOME": str(panel_settings.home),
    }
    with RunningPanel(environ, tmp_path_factory.mktemp("panel")) as running:
        yield running
    assert running.exit_code == 0, running.log.read_text()


@pytest.fixture
def visit(browser: Browser, panel: RunningPanel) -> Iterator[Callable[[], Visitor]]:
    """A new visitor; whatever they did, nothing was fetched from anywhere but the panel."""
    made: list[Visitor] = []

    def another() -> Visitor:
        context = browser.new_context(
            viewport={"width": 1600, "height": 1000}, timezone_id="Europe/Paris", locale="en-GB"
        )
        made.append(Visitor(context, panel.url))
        return made[-1]

    yield another
    outside = [url for visitor in made for url in visitor.outside]
    for visitor in made:
        visitor.context.close()
    assert outside == []


def still(element: Locator) -> dict[str, float]:
    """The box of an element once it has not moved for a while."""
    before = None
    while (box := element.bounding_box()) is None or box != before:
        before = box
        time.sleep(0.3)
    return dict(box)


def click_cell(page: Page, table: Locator, row: int, from_right: int) -> None:
    """Click into a table, which is a canvas: so many rows below its head, so far (px) from its right edge."""
    table.scroll_into_view_if_needed()
    box = still(table)
    page.mouse.click(box["x"] + box["width"] - from_right, box["y"] + ROW * (row + 1.5))


def test_a_wrong_password_is_told_and_the_right_one_leads_to_the_page_asked_for(
    visit: Callable[[], Visitor],
) -> None:
    visitor = visit()

    page = visitor.sign_in("vera", "not-the-password", "/job?job=health-check")
    expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")

    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    visitor.ready()
    assert page.url.endswith("/job?job=health-check")
    expect(page.get_by_text("Monitor system health and uptime")).to_be_visible()


def test_what_runs_is_seen_counting_up_and_leads_to_its_run(visit: Callable[[], Visitor]) -> None:
    visitor = visit()
    page = visitor.sign_in("vera", PASSWORD)
    banner = page.locator(".st-key-running_banner")

    expect(banner.get_by_text("2 runs in progress")).to_be_visible()
    expect(banner.get_by_text("7,412 of 10,300, scoring campaigns")).to_be_visible()
    clock = banner.get_by_text(re.compile(r"^\d+:\d\d ")).first
    first = clock.inner_text()
    expect(clock).not_to_have_text(first)

    banner.get_by_role("button", name="calculate-promotion-analytics").click()
    expect(page).to_have_url(re.compile(r"/run\?run="))
    expect(page.get_by_text("Loaded 10300 campaigns from the warehouse")).to_be_visible()


def test_a_job_is_run_by_a_button_with_its_arguments(
    visit: Callable[[], Visitor], database: psycopg.Connection
) -> None:
    visitor = visit()
    page = visitor.sign_in("otto", PASSWORD, "/jobs?q=coach")
    visitor.ready()

    click_cell(page, page.get_by_test_id("stDataFrame"), 0, from_right=31)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("sync-coach-calendar")).to_be_visible()
    dialog.get_by_role("button", name="Run now").click()
    expect(dialog.get_by_text("The argument coach_id is needed; fill it in.")).to_be_visible()
    dialog.get_by_label("coach_id").fill("7")
    dialog.get_by_role("button", name="Run now").click()

    expect(page.get_by_text("sync-coach-calendar is sent to its queue.")).to_be_visible()
    row = database.execute(
        "SELECT run_id, state, trigger, kwargs FROM callboard.runs WHERE requested_by = 'otto'"
    ).fetchone()
    assert row is not None
    assert row[1:] == ("pending", "manual", {"coach_id": 7, "since": "today", "full": False})
    page.get_by_role("button", name="Open the run").click()
    expect(page.get_by_text(str(row[0]))).to_be_visible()
    expect(page.get_by_text('"coach_id"')).to_be_hidden()
    page.get_by_role("tab", name="Arguments").click()
    expect(page.get_by_text('"coach_id"')).to_be_visible()
    database.execute("DELETE FROM callboard.runs WHERE run_id = %s", (row[0],))


def test_a_job_is_switched_off_with_a_reason_and_on_again(
    visit: Callable[[], Visitor], database: psycopg.Connection
) -> None:
    def switch() -> tuple[bool, str | None]:
        row = database.execute(
            "SELECT enabled, notes FROM cron_job_config WHERE job_name = 'review-follow-ups'"
        ).fetchone()
        assert row is not None
        return row[0], row[1]

    visitor = visit()
    page = visitor.sign_in("otto", PASSWORD, "/job?job=review-follow-ups")

    page.get_by_role("button", name="Switch off").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Why").fill("The provider is down")
    dialog.get_by_role("button", name="Switch off").click()
    expect(page.get_by_text("review-follow-ups is switched off.")).to_be_visible()
    expect(page.get_by_text("The provider is down")).to_be_visible()
    expect(page.get_by_role("button", name="Run now")).to_be_disabled()
    assert switch() == (False, "The provider is down")

    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_role("button", name="Switch off")).to_be_visible()
    assert switch() == (True, "The provider is down")


def test_from_a_failure_on_the_overview_to_its_traceback(visit: Callable[[], Visitor]) -> None:
    visitor = visit()
    page = visitor.sign_in("vera", PASSWORD)
    visitor.ready()
    failures = page.locator(".st-key-failures_card").get_by_test_id("stDataFrame")

    click_cell(page, failures, 0, from_right=round(still(failures)["width"]) - 50)

    expect(page).to_have_url(re.compile(r"/run\?run="))
    page.get_by_role("tab", name="Traceback").click()
    expect(page.get_by_text("Traceback (most recent call last)")).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("button").first.click()
    expect(page).to_have_url(re.compile(r"/job\?job="))
    expect(page.get_by_role("tab", name="Executions")).to_be_visible()


def test_a_viewer_has_no_buttons_that_act(visit: Callable[[], Visitor]) -> None:
    visitor = visit()
    page = visitor.sign_in("vera", PASSWORD, "/job?job=health-check")
    expect(page.get_by_text("Monitor system health and uptime")).to_be_visible()

    assert page.get_by_role("button", name=re.compile("Run now|Switch o")).count() == 0


def test_signing_out_bites_in_every_open_tab(visit: Callable[[], Visitor]) -> None:
    visitor = visit()
    page = visitor.sign_in("vera", PASSWORD)
    visitor.ready()
    other = visitor.context.new_page()
    other.goto(f"{visitor.url}/jobs")
    expect(other.get_by_role("heading", name="Jobs")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_text("You are signed out.")).to_be_visible()
    expect(other.get_by_text("You are signed out")).to_be_visible()
    assert other.get_by_test_id("stDataFrame").count() == 0
    other.reload()
    assert other.url.startswith(f"{visitor.url}/login")


def test_hostile_text_is_text_in_the_browser_too(
    visit: Callable[[], Visitor], database: psycopg.Connection, filled: datetime
) -> None:
    hostile = (
        "![pixel](https://evil.example/p.png) <img src=https://evil.example/q.png onerror=alert(1)>"
        " <script>alert(2)</script> [click](javascript:alert(3)) https://evil.example/bare"
    )
    run_id = uuid.uuid4()
    database.execute(
        "INSERT INTO callboard.runs (run_id, enqueued_at, job, queue, state, rank, attempt, max_attempts"
        ", started_at, attempt_started_at, worker, requested_by, progress, error_type, error)"
        " VALUES (%s, %s, %s, 'default', 'processing', 15, 1, 1, %s, %s, %s, %s, %s, %s, %s)",
        (
            run_id,
            filled,
            hostile[:100],
            filled - timedelta(hours=2),
            filled,
            hostile,
            hostile,
            psycopg.types.json.Jsonb({"done": 1, "total": 2, "note": hostile}),
            hostile,
            hostile,
        ),
    )
    try:
        visitor = visit()
        dialogs: list[str] = []
        visitor.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        page = visitor.sign_in("vera", PASSWORD)
        expect(page.get_by_text("1 of 2, ![pixel](https://evil.example/p.png) <img").first).to_be_visible()
        visitor.go(f"/run?run={run_id}")
        expect(page.get_by_text(f"{hostile}: {hostile}"[:150]).first).to_be_visible()

        assert page.locator("img[src*=evil], a[href*=javascript]").count() == 0
        assert dialogs == []
    finally:
        database.execute("DELETE FROM callboard.runs WHERE run_id = %s", (run_id,))


def test_a_schedule_is_opened_from_the_table_and_edited_with_a_preview(
    visit: Callable[[], Visitor], database: psycopg.Connection
) -> None:
    query = "SELECT expr, changed_by FROM callboard.schedules WHERE job_name = 'cleanup-old-logs'"
    ((before, _),) = database.execute(query).fetchall()
    visitor = visit()
    page = visitor.sign_in("otto", PASSWORD, "/schedules?q=cleanup-old-logs")
    visitor.ready()

    table = page.get_by_test_id("stDataFrame")
    click_cell(page, table, 0, from_right=round(still(table)["width"]) - 60)
    expect(page).to_have_url(re.compile(r"schedule=\d+"))
    expect(page.get_by_text("cleanup-old-logs/code:0")).to_be_visible()
    page.get_by_label("Why did it not run at").fill("2020-01-01 03:00")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No slot of cleanup-old-logs falls due at")).to_be_visible()

    page.get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    field = dialog.get_by_test_id("stTextInputField").first
    field.fill("61 * * * *")
    expect(dialog.get_by_text("minute").first).to_be_visible()
    field.fill("15 4 * * *")
    expect(dialog.get_by_text("At 04:15 every day")).to_be_visible()
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("cleanup-old-logs/code:0 is changed.")).to_be_visible()
    assert database.execute(query).fetchall() == [("15 4 * * *", "otto")]

    database.execute(
        "UPDATE callboard.schedules SET expr = %s, changed_by = NULL WHERE job_name = 'cleanup-old-logs'",
        (before,),
    )


def test_an_instance_that_loses_its_database_says_so_and_recovers(
    visit: Callable[[], Visitor], servers: EmbeddedServers, database: psycopg.Connection
) -> None:
    visitor = visit()
    page = visitor.sign_in("vera", PASSWORD, "/jobs")
    visitor.ready()
    table = page.get_by_test_id("stDataFrame")
    expect(table).to_be_visible()
    name = sql.Identifier(database.info.dbname)

    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        try:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'callboard panel'"
            )
            expect(page.get_by_text(re.compile("PostgreSQL does not answer")).first).to_be_visible()
            assert page.get_by_test_id("stException").count() == 0
        finally:
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
    expect(table).to_be_visible()
    expect(page.get_by_text(re.compile("PostgreSQL does not answer"))).to_have_count(0)
