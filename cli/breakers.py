"""`callboard breakers list | reset`."""

from typing import Annotated

import typer
from rich.text import Text

from callboard.cli.app import AsJson, breakers
from callboard.cli.console import err, out, print_json
from callboard.cli.jobs import context
from callboard.cli.tables import listing, moment
from callboard.core.display import DASH

COLOURS = {"closed": "green", "open": "red", "half_open": "yellow"}


@breakers.command("list", epilog="Example:  callboard breakers list")
def list_breakers(as_json: AsJson = False) -> None:
    """List circuit breakers: how each stands, and why."""
    from callboard.control.reads.breakers import breakers as read

    with context() as system:
        found = read(system)
    if as_json:
        print_json(found)
        return
    if not found:
        err.print("No breaker has ever counted a failure.")
        return
    table = listing("BREAKER", "STATE", "FAILURES", "WAITING", "OPENED", "PROBE AT", "CAUSE")
    for each in found:
        table.add_row(
            Text(each.name, style="bold"),
            Text(each.state.replace("_", " "), style=COLOURS[each.state]),
            str(each.failures),
            f"{each.waiting:,}",
            moment(each.opened_at),
            moment(each.until),
            Text(each.cause or DASH),
        )
    out.print(table)


@breakers.command("reset", epilog="Example:  callboard breakers reset whatsapp")
def reset(
    breaker: Annotated[str, typer.Argument(metavar="BREAKER", help="Its name.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Close a circuit breaker at once; the runs that wait for it go on."""
    from callboard.control.actions.breakers import reset as close
    from callboard.control.auth import local_principal

    with context() as system:
        done = close(system, local_principal(), breaker)
    if as_json:
        print_json(done)
    else:
        out.print(f"{done.name} is closed; it was {done.was.replace('_', ' ')}.")
