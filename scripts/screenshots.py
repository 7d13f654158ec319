"""Take the pictures in docs/images: every page of the panel, in light and in dark.

    python scripts/screenshots.py [folder]

Starts PostgreSQL, Redis and the panel in a folder of its own, fills them with a month of made-up history, and
looks at the pages with Chromium. Nothing of it stays but the pictures.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import psycopg  # noqa: E402
from playwright.sync_api import Browser, Page  # noqa: E402

from callboard.control.auth import Role, add_user, local_principal  # noqa: E402
from callboard.control.context import Context  # noqa: E402
from callboard.core.settings import load_settings  # noqa: E402
from callboard.storage.embedded import EmbeddedServers  # noqa: E402
from callboard.storage.migrate import migrate  # noqa: E402
from helpers.browser import READY, RunningPanel, chromium, open_browser  # noqa: E402
from helpers.homes import short_folder  # noqa: E402
from helpers.letters import add_letters  # noqa: E402
from helpers.panel_control import hold_back  # noqa: E402
from helpers.panel_data import fill  # noqa: E402

NAME, PASSWORD = "mara", "a-picture-says-more"
WIDTH = 1440
#: Name, address, height (px).
PAGES = (
    ("overview", "/", 1080),
    ("jobs", "/jobs", 760),
    ("job", "/job?job=process-referrals", 1060),
    ("queues", "/queues", 640),
    ("dead-letters", "/dead-letters", 560),
    ("schedules", "/schedules", 800),
    ("run", "/run?run={run}", 1000),
)
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
            migrate(url)
            fill(url)
            with Context(load_settings(environ)) as context:
                add_user(context, local_principal(), NAME, Role.OPERATOR, PASSWORD)
                hold_back(context)
                add_letters(context.writer, context.redis, context.keys, 12, error="no answer", mark="a1")
            with RunningPanel(environ, folder) as panel, open_browser() as browser:
                for scheme in ("light", "dark"):
                    take_all(browser, panel.url, url, scheme, target)
    return 0


def take_all(browser: Browser, panel: str, database: str, scheme: str, target: Path) -> None:
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
        page.goto(panel + address.format(run=freshen(database)))
        page.wait_for_selector(READY)
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
