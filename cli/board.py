"""What `callboard up` shows: what it is doing, where everything is, and then what the parts have to say."""

import queue
import threading
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.status import Status
from rich.table import Table
from rich.text import Text

from callboard import __version__
from callboard.cli.lines import matters, render
from callboard.control.supervisor.report import Running

#: Lines that wait to be shown; a terminal that is held (Ctrl-S) loses what comes after them.
WAITING = 2_000


class Board:
    """Draws on one console. Lines have a thread of their own, so that no part waits for the terminal."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console = console
        self._quiet = quiet
        self._lock = threading.Lock()
        self._status: Status | None = None
        self._said = ""
        self._lines: queue.Queue[tuple[str, str] | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._draw, name="board", daemon=True)
        self._thread.start()

    def step(self, text: str) -> None:
        """Say what is being done."""
        with self._lock:
            if text == self._said:
                return
            self._said = text
            if not self._console.is_terminal:
                self._print(Text(f"{text}."))
            elif self._status is None:
                self._status = self._console.status(f"{text} ...", spinner="dots")
                self._status.start()
            else:
                self._status.update(f"{text} ...")

    def running(self, running: Running) -> None:
        """Draw where everything is and how to log in."""
        with self._lock:
            self._end_status()
            self._print(_card(running))

    def line(self, part: str, line: str) -> None:
        """Show a line that a part logged."""
        if not self._quiet and matters(line):
            try:
                self._lines.put_nowait((part, line))
            except queue.Full:
                return

    def trouble(self, part: str, text: str) -> None:
        """Show that a part died or came back."""
        with self._lock:
            self._print(Text.assemble(("! ", "bold yellow"), (f"{part} ", "bold"), f"{text}."))

    def close(self, farewell: str | None = None) -> None:
        """Show what is left to show, and go."""
        try:
            self._lines.put(None, timeout=1)
        except queue.Full:
            return
        self._thread.join(2)
        with self._lock:
            self._end_status()
            if farewell:
                self._print(Text(farewell, style="dim"))

    def _draw(self) -> None:
        while (item := self._lines.get()) is not None:
            text = render(*item)
            with self._lock:
                self._print(text)

    def _print(self, what: object) -> None:
        try:
            self._console.print(what)
        except (OSError, ValueError):
            # The terminal is gone; everything goes on, and the logs are in their files.
            self._quiet = True

    def _end_status(self) -> None:
        self._said = ""
        if self._status is not None:
            self._status.stop()
            self._status = None


def _card(running: Running) -> Panel:
    grid = Table.grid(padding=(0, 3))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row("Panel", Text(running.panel_url, style="bold cyan"))
    grid.add_row("API", Text(f"{running.api_url}/docs", style="cyan"))
    if running.sandbox_url:
        services = f"   stands in for {', '.join(running.sandboxed)}" if running.sandboxed else ""
        grid.add_row("Sandbox", Text.assemble((running.sandbox_url, "cyan"), (services, "dim")))
    if running.made_up:
        words = f"{running.made_up:,} made-up customers, for whom every job runs once in this first minute"
        hint = "   callboard demo clear removes them"
        grid.add_row("Demo", Text.assemble(words, (hint, "dim")))
    grid.add_row("", "")
    if running.admin_password:
        grid.add_row("Log in as", Text("admin", style="bold"))
        grid.add_row("Password", Text(running.admin_password, style="bold"))
    else:
        grid.add_row("Log in as", Text.assemble(("admin", "bold"), _where(running.password_file, "password")))
    if running.api_token:
        grid.add_row("API token", Text(running.api_token, style="bold"))
    else:
        grid.add_row("API token", Text.assemble(_where(running.token_file, "token").strip(", ")))
    grid.add_row("", "")
    servers = f"{' and '.join(running.embedded)} of its own in " if running.embedded else "data in "
    where = f" and {running.elsewhere}" if running.elsewhere else ""
    grid.add_row("Runs with", Text(f"{servers}{_short(running.home)}{where}"))
    grid.add_row(
        "Shell", Text.assemble('eval "$(callboard env)"', ("   then psql, curl, callboard jobs list", "dim"))
    )
    if running.admin_password or running.api_token:
        grid.add_row("", "")
        grid.add_row(
            "", Text("The secrets are shown this once, and kept in the folder for you alone.", style="dim")
        )
    return Panel(
        grid,
        title=Text(f" Callboard {__version__} is up ", style="bold green"),
        title_align="left",
        subtitle=Text(" Ctrl-C ends everything ", style="dim"),
        subtitle_align="right",
        border_style="green",
        padding=(1, 2),
        expand=False,
    )


def _where(file: Path | None, what: str) -> str:
    return f", the {what} is in {_short(file)}" if file else f", the {what} is as the environment sets it"


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
