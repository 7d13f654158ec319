"""`callboard migrate` and `callboard psql`."""

import os
import sys
from typing import Annotated

import typer

from callboard.cli.app import app
from callboard.cli.console import out
from callboard.core.errors import Unavailable
from callboard.core.settings import load_settings


@app.command(rich_help_panel="Care")
def migrate() -> None:
    """Bring the database's schema up to date. Safe to run by several at once; `up` does it by itself."""
    from callboard.control.database import migrate

    out.print("The database is migrated." if migrate(load_settings()) else "The database is up to date.")


@app.command(
    rich_help_panel="Care",
    # Everything is psql's, -h too.
    context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]},
    epilog="Example:  callboard psql -c 'SELECT * FROM failed_cron_jobs'",
)
def psql(
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="ARGUMENT", help="Arguments of psql.")
    ] = None,
) -> None:
    """Open the database in psql: the system's, or else the embedded PostgreSQL's own."""
    from callboard.control.database import psql

    command = psql(load_settings(), arguments or [])
    sys.stdout.flush()
    try:
        os.execve(command.argv[0], command.argv, command.environment)  # noqa: S606
    except OSError as error:
        raise Unavailable(f"{command.argv[0]} cannot be run: {error.strerror}.") from None
