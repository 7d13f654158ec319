"""Journeys through the panel in a real browser."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import psycopg
import pytest
from playwright.sync_api import expect
from psycopg import sql

from callboard.control.context import Context
from callboard.core.settings import Settings
from callboard.storage.embedded import EmbeddedServers
from callboard.storage.engine import make_engine
from callboard.storage.run_bulk import work_off
from helpers.browser import ROW, Visitor, click_cell, still
from helpers.many_runs import add_runs

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("filled", "tokens")]

PASSWORD = "stage-left-42"
#: The buttons that change something.
ACTS = re.compile(r"\b(Run now|Switch o(ff|n)|Retry|Cancel|Pause|Resume|Drain|Requeue|Drop|Add|Make)\b")


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


def test_a_viewer_has_no_buttons_that_act_and_is_refused_what_is_for_admins(
    visit: Callable[[], Visitor], database: psycopg.Connection
) -> None:
    row = database.execute("SELECT run_id FROM callboard.runs WHERE state = 'processing' LIMIT 1").fetchone()
    assert row is not None
    visitor = visit()
    page = visitor.sign_in("vera", PASSWORD, "/job?job=health-check")
    expect(page.get_by_text("Monitor system health and uptime")).to_be_visible()
    acts = page.get_by_test_id("stMain").get_by_role("button", name=ACTS)
    assert acts.count() == 0

    for path, there in (
        (f"/run?run={row[0]}", str(row[0])),
        ("/queue?queue=mail", "mail"),
        ("/dead-letters", "Dead letters"),
    ):
        page = visitor.go(path)
        expect(page.get_by_test_id("stMain").get_by_text(there).first).to_be_visible()
        assert acts.count() == 0
    for path in ("/users", "/tokens", "/audit"):
        page = visitor.go(path)
        expect(page.get_by_text("The role viewer does not include")).to_be_visible()
        assert page.url.endswith(path)
        assert page.get_by_test_id("stDataFrame").count() == 0
        assert page.get_by_test_id("stException").count() == 0


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


def test_failed_runs_are_exported_and_retried_one_and_all(
    visit: Callable[[], Visitor], panel_settings: Settings, database: psycopg.Connection
) -> None:
    # Given 121 failed runs that an operator has searched for
    engine = make_engine(panel_settings.database_url)
    database.execute(
        "INSERT INTO callboard.jobs (name, queue, source) VALUES ('bulk-runs', 'default', ''),"
        " ('bulk-target', 'default', '')"
    )
    runs = add_runs(engine, 121, job="bulk-target", error="=HYPERLINK(1)")
    visitor = visit()
    page = visitor.sign_in("otto", PASSWORD, "/runs?q=job:bulk-target&state=failed")
    table = page.get_by_test_id("stDataFrame")
    expect(page.get_by_role("button", name="Retry all that match")).to_be_visible()

    # When they take them along, then as what a spreadsheet shows and does not execute
    with page.expect_download() as download:
        page.get_by_test_id("stDownloadButton").get_by_role("button").click()
    lines = download.value.path().read_text().splitlines()
    assert (len(lines), lines[1].split(",")[0]) == (122, str(runs[0]))
    assert ",'=HYPERLINK(1)," in lines[1]

    # When they select the second and retry it, then that run is done again, whatever came meanwhile
    click_cell(page, table, 1, from_right=round(still(table)["width"]) - 15)
    retry = page.get_by_role("button", name="Retry 1 selected")
    expect(retry).to_be_visible()
    add_runs(engine, 1, job="bulk-target", age=1)
    retry.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(str(runs[1])[:8])).to_be_visible()
    dialog.get_by_role("button", name="Retry 1 run").click()
    expect(page.get_by_text("Retried 1 run.")).to_be_visible()
    query = "SELECT retry_of FROM callboard.runs WHERE retry_of IS NOT NULL AND job = 'bulk-target'"
    assert database.execute(query).fetchall() == [(runs[1],)]

    # When they retry all that match, then they see how far that is, until it is done
    page.get_by_role("button", name="Retry all that match").click()
    expect(dialog.get_by_text("121 runs that match")).to_be_visible()
    dialog.get_by_role("button", name="Retry 121 runs").click()
    expect(page.get_by_text("Retried 0 of 121 runs")).to_be_visible()
    ((action,),) = database.execute("SELECT id FROM callboard.bulk_actions").fetchall()
    with Context(panel_settings) as context:
        ended = False
        while not ended:
            with engine.begin() as connection:
                ended = work_off(
                    connection, context.redis, context.keys, action, 60, hurry=lambda _runs: set()
                ).ended
        context.redis.flushdb()
    expect(page.get_by_text("Retried 121 of 121 runs.")).to_be_visible()
    assert len(database.execute(query).fetchall()) == 122

    for table_name in ("runs WHERE job IN ('bulk-runs', 'bulk-target')", "bulk_actions", "outbox",
                       "jobs WHERE name IN ('bulk-runs', 'bulk-target')"):  # fmt: skip
        database.execute(f"DELETE FROM callboard.{table_name}")
    engine.dispose()


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


def test_a_slash_goes_to_the_search_of_a_page_and_is_written_once_one_is_there(
    visit: Callable[[], Visitor],
) -> None:
    visitor = visit()
    page = visitor.sign_in("vera", PASSWORD, "/runs")
    visitor.ready()
    search = page.get_by_role("searchbox")
    expect(search).to_be_visible()
    expect(search).not_to_be_focused()

    focused = "search => search === document.activeElement"
    deadline = time.monotonic() + 20
    while not search.evaluate(focused) and time.monotonic() < deadline:
        page.keyboard.press("/")
        page.wait_for_timeout(100)
    page.keyboard.type("error:~a/b")
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(r"/runs\?.*q=error"))
    expect(search).to_have_value("error:~a/b")


def test_a_moment_of_a_table_is_told_in_utc_to_whoever_points_at_it(visit: Callable[[], Visitor]) -> None:
    visitor = visit()
    page = visitor.sign_in("vera", PASSWORD, "/job?job=health-check")
    visitor.ready()
    cell = page.get_by_test_id("glide-cell-2-0")
    table = page.get_by_test_id("stDataFrame").filter(has=cell)
    told = page.get_by_test_id("utc")
    table.scroll_into_view_if_needed()
    box = still(table)

    said: set[str] = set()
    for x in range(8, int(box["width"]), 24):
        page.mouse.move(box["x"] + x, box["y"] + ROW * 1.5)
        page.wait_for_timeout(350)
        said.update(told.all_text_contents())

    local = datetime.fromisoformat(cell.text_content() or "")
    assert local.utcoffset() == local.astimezone(ZoneInfo("Europe/Paris")).utcoffset()
    assert f"{local.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" in said
    assert len(said) <= 2, "no more cells of a row of executions are moments"
    page.mouse.move(box["x"] + 8, 4)
    expect(told).to_have_count(0)


def test_all_times_turn_to_utc_at_a_key(visit: Callable[[], Visitor]) -> None:
    visitor = visit()
    page = visitor.sign_in("vera", PASSWORD, "/job?job=health-check")
    visitor.ready()
    started = page.get_by_test_id("glide-cell-2-0")
    paris = started.text_content()
    updated = page.get_by_text(re.compile(r"^Updated \d\d:")).first
    assert re.fullmatch(r"20\d\d-.* UTC", updated.get_attribute("title") or "")

    page.keyboard.press("Alt+z")

    expect(page.locator(".st-key-zone_switch")).to_contain_text("UTC")
    expect(started).not_to_have_text(paris or "")
