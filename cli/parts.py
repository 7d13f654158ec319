"""The commands that run one part: `worker`, `scheduler`, `recorder`, `api`, `panel`, `sandbox`.

Each turns into the part's own process, which carries nothing of the command line's libraries.
"""

import os
import sys
from typing import Annotated

import typer

from callboard.cli.app import app
from callboard.core.settings import load_settings
from callboard.core.sizes import parse_size

_PANEL = "Run"


@app.command(
    rich_help_panel=_PANEL,
    epilog="Example:  callboard worker --processes 2 --threads 16 --queues mail,default",
)
def worker(
    processes: Annotated[int, typer.Option(min=1, max=256, metavar="N", help="Worker processes.")] = 1,
    threads: Annotated[int, typer.Option(min=1, max=1024, metavar="N", help="Threads in each of them.")] = 8,
    queues: Annotated[str | None, typer.Option(metavar="NAME,NAME", help="Serve these queues only.")] = None,
    grace: Annotated[
        float, typer.Option(min=0, metavar="S", help="Seconds for which running jobs may go on at the end.")
    ] = 30.0,
    max_jobs: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Renew a process after so many jobs.", show_default=False),
    ] = None,
    max_memory: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Renew a process that uses more: 512MB, 2GB.", show_default=False),
    ] = None,
) -> None:
    """Run jobs: those of the modules that CALLBOARD_ACTORS names.

    Needs REDIS_URL. SIGTERM ends it once the running jobs are done, or after the grace. A process that is
    renewed ends in the same way, and a fresh one takes its place.
    """
    options = ["--processes", str(processes), "--threads", str(threads), "--grace", f"{grace:g}"]
    if max_jobs is not None:
        options += ["--max-jobs", str(max_jobs)]
    if max_memory is not None:
        options += ["--max-memory", str(parse_size(max_memory))]
    names = [name.strip() for name in (queues or "").split(",") if name.strip()]
    if names:
        options += ["--queues", ",".join(names)]
    _become("worker", *options)


@app.command(rich_help_panel=_PANEL)
def scheduler() -> None:
    """Fire schedules when they are due. Any number of them may run.

    Needs DATABASE_URL and REDIS_URL.
    """
    _become("scheduler")


@app.command(rich_help_panel=_PANEL)
def recorder() -> None:
    """Write what the workers report into the database. One works, further ones stand by.

    Needs DATABASE_URL and REDIS_URL.
    """
    _become("recorder")


@app.command(rich_help_panel=_PANEL)
def api() -> None:
    """Serve the REST API on CALLBOARD_HOST and CALLBOARD_API_PORT.

    Needs DATABASE_URL and REDIS_URL. Its documentation is at /docs.
    """
    _become("api")


@app.command(rich_help_panel=_PANEL)
def panel() -> None:
    """Serve the panel on CALLBOARD_HOST and CALLBOARD_PANEL_PORT.

    Needs DATABASE_URL and REDIS_URL.
    """
    _become("panel")


@app.command(rich_help_panel=_PANEL, epilog="Example:  callboard sandbox --port 8100 --smtp-port 8125")
def sandbox(
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, metavar="N", help="Of HTTP.", show_default="8100")
    ] = None,
    smtp_port: Annotated[
        int | None, typer.Option(min=0, max=65535, metavar="N", help="Of mail.", show_default="8125")
    ] = None,
) -> None:
    """Play the services outside that jobs call: WhatsApp, mail and the rest. Nothing reaches anybody.

    On this machine alone. `callboard up` starts one where a service has no credentials; other workers are
    told of this one by CALLBOARD_SANDBOX_URL and CALLBOARD_SANDBOX_SMTP_URL.
    """
    options = []
    if port is not None:
        options += ["--port", str(port)]
    if smtp_port is not None:
        options += ["--smtp-port", str(smtp_port)]
    _become("sandbox", *options)


def _become(part: str, *options: str) -> None:
    load_settings()  # a wrong setting is told before anything else happens
    sys.stdout.flush()
    command = [sys.executable, "-m", "callboard.control.processes", part, *options]
    os.execv(sys.executable, command)  # noqa: S606
