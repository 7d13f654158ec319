"""Take the pictures in docs/images: every page of the panel, in light and in dark.

    python scripts/screenshots.py [folder]

Starts PostgreSQL, Redis and the panel in a folder of its own, fills them with a month of made-up history, and
looks at the pages with Chromium. Nothing of it stays but the pictures.
"""

import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import psycopg  # noqa: E402
from playwright.sync_api import Browser, Page  # noqa: E402

from callboard.control.auth import (  # noqa: E402
    Principal,
    Role,
    add_token,
    add_user,
    set_user_enabled,
)
from callboard.control.context import Context  # noqa: E402
from callboard.core.settings import load_settings  # noqa: E402
from callboard.storage.embedded import EmbeddedServers  # noqa: E402
from callboard.storage.migrate import migrate  # noqa: E402
from helpers.browser import READY, RunningPanel, chromium, open_browser  # noqa: E402
from helpers.fleets import add_fleet  # noqa: E402
from helpers.homes import short_folder  # noqa: E402
from helpers.letters import add_letters  # noqa: E402
from helpers.panel_alerts import add_alerts  # noqa: E402
from helpers.panel_anomalies import add_anomalies  # noqa: E402
from helpers.panel_control import hold_back  # noqa: E402
from helpers.panel_data import fill  # noqa: E402
from helpers.panel_health import add_health  # noqa: E402

NAME, PASSWORD = "mara", "a-picture-says-more"
WIDTH = 1440
#: Name, address, height (px).
PAGES = (
    ("overview", "/", 1370),
    ("jobs", "/jobs", 760),
    ("job", "/job?job=process-referrals", 1060),
    ("queues", "/queues", 1240),
    ("runs", "/runs?q=error:~429+since:30d", 900),
    ("queue", "/queue?queue=mail", 1000),
    ("workers", "/workers", 940),
    ("dead-letters", "/dead-letters", 560),
    ("schedules", "/schedules", 800),
    ("health", "/health", 1400),
    ("anomalies", "/anomalies", 900),
    ("alerts", "/alerts", 900),
    ("calendar", "/schedules", 900),
    ("collisions", "/schedules", 860),
    ("run", "/run?run={run}", 1000),
    ("users", "/users", 640),
    ("tokens", "/tokens", 640),
    ("audit", "/audit", 760),
)
LETTERS: tuple[dict[str, Any], ...] = (
    {
        "count": 214,
        "job": "deliver-webhook",
        "error_type": "ConnectTimeout",
        "error": "No answer from hooks.example.org within 10 s",
        "mark": "a1",
    },
    {
        "count": 37,
        "job": "send-review-requests",
        "error_type": "HTTPStatusError",
        "error": "Client error '429 Too Many Requests'",
        "mark": "b2",
        "age": 0.3,
    },
    {
        "count": 6,
        "job": "export-ledger",
        "error_type": "UniqueViolation",
        "error": 'duplicate key value violates unique constraint "ledger_pkey"',
        "mark": "c3",
        "age": 2,
    },
    {
        "count": 1,
        "job": "process-referrals",
        "error_type": "KeyError",
        "error": "'referrer_id'",
        "mark": "d4",
        "age": 5,
    },
)
#: The tab to open on a page, where it is not the first.
TABS = {"calendar": "Calendar", "collisions": "Collisions"}
#: So long (ms) a page may take to finish drawing its charts.
SETTLE_MS = 4_000


def main() -> int:
    """Take them; returns the exit code."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    if chromium() is None:
        sys.stderr.write("There is no Chromium; scripts/install-chromium installs it.\n")
        return os.environ.get("CI") == "true"
    target.mkdir(parents=True, exist_ok=True)
    with short_folder() as folder:
        home = folder / "home"
        with EmbeddedServers(home) as servers:
            url = servers.database_url
            environ = {"DATABASE_URL": url, "REDIS_URL": servers.redis_url, "CALLBOARD_HOME": str(home)}
            environ["CALLBOARD_ALERT_URLS"] = "mailto://mail.example.org"
            migrate(url)
            fill(url)
            with psycopg.connect(url) as connection:
                add_alerts(connection, said="Nobody came, twice.")
                add_anomalies(connection)
            with Context(load_settings(environ)) as context:
                add_people(context)
                hold_back(context)
                add_health(url, context.redis, context.keys)
                for letters in LETTERS:
                    add_letters(context.writer, context.redis, context.keys, **letters)
                with RunningPanel(environ, folder) as panel, open_browser() as browser:
                    for scheme in ("light", "dark"):
                        take_all(browser, panel.url, url, scheme, target, context)
    return 0


def add_people(context: Context) -> None:
    """Who looks at the pages, and some others."""
    mara = Principal(NAME, Role.ADMIN, "panel")
    add_user(context, mara, NAME, Role.ADMIN, PASSWORD)
    add_user(context, mara, "ines", Role.OPERATOR, PASSWORD)
    add_user(context, mara, "joost", Role.VIEWER, PASSWORD)
    set_user_enabled(context, mara, "joost", enabled=False)
    add_token(context, mara, "ci-deploys", role=Role.OPERATOR, life_s=90 * 86_400)
    add_token(context, mara, "metrics", role=Role.VIEWER)


def take_all(browser: Browser, panel: str, database: str, scheme: str, target: Path, system: Context) -> None:
    """All pages in one colour scheme."""
    context = browser.new_context(
        viewport={"width": WIDTH, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        timezone_id="Europe/Paris",
        locale="en-GB",
    )
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.set_viewport_size({"width": WIDTH, "height": 720})
    page.goto(f"{panel}/login")
    page.wait_for_timeout(500)
    take(page, target, "login", scheme)
    page.get_by_label("User").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector(READY)
    for name, address, height in PAGES:
        page.set_viewport_size({"width": WIDTH, "height": height})
        add_fleet(system.redis, system.keys)
        page.goto(panel + address.format(run=freshen(database)))
        page.wait_for_selector(READY)
        if name in TABS:
            page.get_by_role("tab", name=TABS[name]).click()
        page.wait_for_timeout(SETTLE_MS)
        take(page, target, name, scheme)
    context.close()


def freshen(database: str) -> str:
    """Let the runs under way have begun a little while ago; returns the run to look at."""
    with psycopg.connect(database) as connection:
        connection.execute(
            "UPDATE callboard.runs SET started_at = moment, attempt_started_at = moment FROM ("
            "  SELECT run_id AS id"
            "       , now() - make_interval(secs => CASE WHEN progress IS NULL THEN 7 ELSE 118 END) AS moment"
            "    FROM callboard.runs WHERE state = 'processing') begun"
            " WHERE run_id = id AND state = 'processing'"
        )
        row = connection.execute(
            "SELECT run_id FROM callboard.runs WHERE job = 'process-referrals' AND state = 'failed'"
            " ORDER BY (attempt_started_at - started_at) > interval '1 min', finished_at DESC LIMIT 1"
        ).fetchone()
    return str(row[0]) if row else ""


def take(page: Page, target: Path, name: str, scheme: str) -> None:
    path = target / f"{name}-{scheme}.png"
    page.screenshot(path=path)
    sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    sys.exit(main())
