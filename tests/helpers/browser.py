"""A real Chromium for tests, and a panel for it to look at."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
READY = "[data-testid=stApp][data-test-connection-state=CONNECTED][data-test-script-state=notRunning]"

#: How long (s) something on a page may take to come about.
PATIENCE_S = 25
#: The height (px) of a row of a table.
ROW = 31


def chromium() -> str | None:
    """The path of a Chromium; CHROMIUM names another one."""
    named = os.environ.get("CHROMIUM")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)


def need_chromium() -> str:
    """Its path; without one the test is skipped, and in CI fails."""
    path = chromium()
    if path is None:
        sentence = "There is no Chromium; scripts/install-chromium installs it."
        if os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
    return path


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A headless Chromium."""
    path = need_chromium()
    expect.set_options(timeout=PATIENCE_S * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


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


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


class RunningPanel:
    """The panel's own process, with settings by environment; a context manager."""

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "panel.log"
        self.environ = {**os.environ, **environ, "CALLBOARD_PANEL_PORT": str(self.port)}
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "callboard.panel.serve"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=self.environ, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"The panel did not come up:\n{self.log.read_text()}")
            time.sleep(0.1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process is not None
        self.process.terminate()
        self.exit_code = self.process.wait(timeout=20)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", timeout=1).status_code == 200
        except httpx.HTTPError:
            return False


class Visitor:
    """Somebody at a browser of their own. `outside` collects what was asked of anybody but the panel."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url
        self.outside: list[str] = []
        context.set_default_timeout(PATIENCE_S * 1000)
        context.on("request", lambda request: self._seen(request.url))
        self.page = context.new_page()

    def _seen(self, url: str) -> None:
        if not url.startswith((self.url, "data:", "blob:", self.url.replace("http", "ws"))):
            self.outside.append(url)

    def sign_in(self, name: str, password: str, path: str = "/") -> Page:
        """Sign in and wait for the page that was asked for."""
        self.page.goto(self.url + path)
        self.page.get_by_label("User").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        return self.page

    def go(self, path: str) -> Page:
        """Open an address and wait until the page stands still."""
        self.page.goto(self.url + path)
        return self.ready()

    def ready(self) -> Page:
        """Wait until the page is connected and no script runs."""
        self.page.wait_for_selector(READY)
        return self.page
