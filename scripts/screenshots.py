"""Takes the pictures in docs/images anew, of the panel over a month of made-up history.

Run by `make screenshots`; takes a minute. Needs Chromium, which `scripts/install-chromium` finds or installs.
"""

import sys
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from playwright.sync_api import Browser  # noqa: E402

from callboard.control.auth import Role, add_user, local_principal  # noqa: E402
from callboard.control.context import Context  # noqa: E402
from callboard.core.settings import load_settings  # noqa: E402
from callboard.storage.embedded import EmbeddedServers  # noqa: E402
from callboard.storage.migrate import migrate  # noqa: E402
from helpers.browser import RunningPanel, Visitor, open_browser  # noqa: E402
from helpers.homes import short_folder  # noqa: E402
from helpers.panel_data import fill  # noqa: E402

IMAGES = ROOT / "docs" / "images"
#: The pictures, by name: the page and the height (px) of what is shown of it.
PICTURES = {
    "overview": ("/", 1000),
    "jobs": ("/jobs", 900),
    "job": ("/job?job=process-promotion-deliveries", 1100),
}
WIDTH = 1440
SCHEMES = ("light", "dark")
#: Milliseconds until charts have been drawn and what fades in has done so.
SETTLE_MS = 2_500
PASSWORD = "for-the-picture-only"  # noqa: S105 - it opens a panel of a minute


def main() -> None:
    """Bring up a panel over filled servers and take each picture in each scheme."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with short_folder() as folder, ExitStack() as stack:
        servers = EmbeddedServers(folder / "home")
        stack.callback(servers.stop)
        database_url, redis_url = servers.start()
        environ = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "CALLBOARD_HOME": str(folder / "home"),
        }
        migrate(environ["DATABASE_URL"])
        fill(environ["DATABASE_URL"])
        with Context(load_settings(environ)) as context:
            add_user(context, local_principal(), "ada", Role.ADMIN, PASSWORD)
        with RunningPanel(environ, folder) as panel, open_browser() as browser:
            for scheme in SCHEMES:
                photograph(browser, panel.url, scheme)


def photograph(browser: Browser, url: str, scheme: str) -> None:
    """Take each picture in one scheme."""
    context = browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": WIDTH, "height": 1000},
        timezone_id="Europe/Paris",
        locale="en-GB",
    )
    visitor = Visitor(context, url)
    visitor.sign_in("ada", PASSWORD)
    visitor.ready()
    for name, (path, height) in PICTURES.items():
        visitor.page.set_viewport_size({"width": WIDTH, "height": height})
        visitor.go(path).wait_for_timeout(SETTLE_MS)
        visitor.ready()
        target = IMAGES / f"{name}-{scheme}.png"
        visitor.page.screenshot(path=target)
        sys.stdout.write(f"{target.relative_to(ROOT)}: {target.stat().st_size // 1024} KB\n")
    context.close()


if __name__ == "__main__":
    main()
