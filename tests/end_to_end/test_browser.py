"""`callboard up`, seen in a browser: a job is run by a button, switched off, and its history is there."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, expect

from helpers.browser import Visitor, open_browser
from helpers.homes import short_folder
from helpers.terminal import Up
from helpers.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def up(browser: Browser) -> Iterator[Up]:
    with short_folder() as folder, Up(folder) as running:
        running.wait_until_up()
        yield running


@pytest.fixture
def visitor(up: Up, browser: Browser) -> Iterator[Visitor]:
    context = browser.new_context(viewport={"width": 1500, "height": 1000}, locale="en-GB")
    visiting = Visitor(context, up.instance["panel_url"].rstrip("/"))
    password = (up.home / "admin-password").read_text().strip()
    wait_for(lambda: httpx.get(f"{visiting.url}/healthz").status_code == 200, 60, "the panel")
    visiting.sign_in("admin", password)
    visiting.ready()
    yield visiting
    context.close()
    assert visiting.outside == []


def test_the_overview_counts_what_the_fleet_does(visitor: Visitor) -> None:
    page = visitor.page

    expect(page.get_by_test_id("stMetric").filter(has_text="Jobs")).to_contain_text(re.compile("[1-9]"))
    executions = page.get_by_test_id("stMetric").filter(has_text="Executions")
    # The heartbeat is due every thirty seconds.
    expect(executions).to_contain_text(re.compile(r"Executions\s*[1-9]"), timeout=70_000)


def test_a_job_is_run_by_a_button_and_its_end_is_seen_without_a_reload(visitor: Visitor) -> None:
    page = visitor.go("/job?job=health-check")

    page.get_by_role("button", name="Run now").click()
    page.get_by_role("dialog").get_by_role("button", name="Run now").click()
    expect(page.get_by_text("health-check is sent to its queue.")).to_be_visible()
    page.get_by_role("button", name="Open the run").click()

    # Charts of the page before have the word as well, and may stay for a moment.
    expect(page.get_by_role("heading", name=re.compile("^Run "))).to_be_visible()
    expect(page.locator("svg text", has_text="Succeeded")).to_have_count(0)
    expect(page.get_by_test_id("stMain").get_by_text("Succeeded")).to_be_visible()
    page.get_by_role("tab", name="Result").click()
    expect(page.get_by_text('"processed"')).to_be_visible()


def test_a_job_switched_off_in_the_browser_is_refused_by_the_api(up: Up, visitor: Visitor) -> None:
    page = visitor.go("/job?job=cleanup-old-alerts")
    token = (up.home / "api-token").read_text().strip()

    def execute() -> int:
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{up.instance['api_url']}/api/cron/execute/cleanup-old-alerts"
        return httpx.post(url, headers=headers, timeout=60).status_code

    page.get_by_role("button", name="Switch off").click()
    page.get_by_role("dialog").get_by_role("button", name="Switch off").click()
    expect(page.get_by_text("cleanup-old-alerts is switched off.")).to_be_visible()
    assert execute() == 423

    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("cleanup-old-alerts is switched on.")).to_be_visible()
    wait_for(lambda: execute() == 200, 20, "the job to run again")
    expect(page.get_by_test_id("stMetric").filter(has_text="Executions")).to_contain_text(
        re.compile(r"Executions\s*[1-9]")
    )
