"""`callboard alerts list`."""

from typing import Annotated

import typer
from rich.text import Text

from callboard.cli.app import AsJson, alerts, flag
from callboard.cli.console import err, out, print_json
from callboard.cli.jobs import context
from callboard.cli.tables import listing, moment

COLOURS = {"warning": "yellow", "critical": "red"}


@alerts.command("list", epilog="Example:  callboard alerts list --kind breaker_open --all")
def list_alerts(
    kind: Annotated[
        str | None, typer.Option("--kind", metavar="KIND", help="Only of this kind.", show_default=False)
    ] = None,
    everything: Annotated[bool, flag("--all", help="Also those that are over.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="At most so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List alerts: what is amiss now, the latest first."""
    from callboard.control.reads.alerts import alerts as read

    with context() as system:
        found, _ = read(system, open_only=not everything, kind=kind, limit=limit)
    if as_json:
        print_json({"alerts": found})
        return
    if not found:
        err.print("There is no such alert." if everything or kind else "No alert is open.")
        return
    table = listing("OPENED", "CLOSED", "KIND", "SUBJECT", "MESSAGE")
    for each in found:
        style = "dim" if each.resolved_at else COLOURS.get(each.severity, "")
        table.add_row(
            moment(each.opened_at),
            moment(each.resolved_at),
            Text(each.kind, style=style),
            Text(each.subject, style="bold"),
            Text(" ".join(each.message.split())),
        )
    out.print(table)
