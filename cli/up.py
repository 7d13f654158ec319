"""`callboard up`."""

from typing import Annotated

import typer

from callboard.cli.app import app, flag
from callboard.cli.board import Board
from callboard.cli.console import err
from callboard.core.settings import load_settings


@app.command(rich_help_panel="Run", epilog="Example:  CALLBOARD_API_PORT=9000 callboard up --processes 4")
def up(
    processes: Annotated[int, typer.Option(min=1, max=256, metavar="N", help="Worker processes.")] = 2,
    threads: Annotated[int, typer.Option(min=1, max=1024, metavar="N", help="Threads in each of them.")] = 8,
    grace: Annotated[
        float, typer.Option(min=0, metavar="S", help="Seconds for which running jobs may go on after Ctrl-C.")
    ] = 15.0,
    demo: Annotated[
        bool, typer.Option("--demo/--no-demo", help="Whether a first start makes up data and runs every job.")
    ] = True,
    quiet: Annotated[bool, flag("--quiet", "-q", help="Show no log lines.")] = False,
) -> None:
    """Start everything, and keep it running.

    Servers, worker, scheduler, recorder, API and panel run until Ctrl-C. Without DATABASE_URL and REDIS_URL,
    PostgreSQL and Valkey of its own keep their data under CALLBOARD_HOME (.callboard). A sandbox stands in
    for the services outside that have no credentials, unless CALLBOARD_SANDBOX is off. Where nothing is real,
    a first start makes up 500 customers and runs every job once, unless CALLBOARD_DEMO is off. A part that
    dies is started again. Logs are in CALLBOARD_HOME/logs.
    """
    from callboard.control.actions.alerts import check_places
    from callboard.control.supervisor.plans import Options
    from callboard.control.supervisor.supervisor import Supervisor

    settings = load_settings()
    check_places(settings)
    if not demo:
        settings = settings.model_copy(update={"callboard_demo": False})
    board = Board(err, quiet=quiet)
    farewell = None
    try:
        Supervisor(settings, board, Options(processes, threads, grace)).run()
        farewell = "Everything has ended."
    finally:
        board.close(farewell)
