"""`callboard alerts list | ack | silences | silence | unsilence | test`."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from callboard.cli.app import AsJson, alerts, flag
from callboard.cli.console import err, out, print_json
from callboard.cli.jobs import context
from callboard.cli.tables import listing, moment

if TYPE_CHECKING:
    from callboard.control.reads.alerts import Alert

COLOURS = {"warning": "yellow", "critical": "red"}

Kind = Annotated[
    str | None, typer.Option("--kind", metavar="KIND", help="Only of this kind.", show_default=False)
]
Limit = Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="At most so many.")]


@alerts.command("list", epilog="Example:  callboard alerts list --kind breaker_open --all")
def list_alerts(
    kind: Kind = None,
    everything: Annotated[bool, flag("--all", help="Also those that are over.")] = False,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List alerts: what is amiss now, the latest first."""
    from callboard.control.reads.alerts import alerts as read

    with context() as system:
        found, _ = read(system, open_only=not everything, kind=kind, limit=limit)
    if as_json:
        print_json({"alerts": found})
    elif not found:
        err.print("There is no such alert." if everything or kind else "No alert is open.")
    else:
        out.print(_table(found))


@alerts.command("ack", epilog='Example:  callboard alerts ack 4711 --note "the provider is down"')
def acknowledge(
    alert: Annotated[int, typer.Argument(min=1, metavar="ID", help="The alert's id.", show_default=False)],
    note: Annotated[str, typer.Option(metavar="TEXT", help="What is known of it.", show_default=False)] = "",
    undo: Annotated[bool, flag("--undo", help="Take an acknowledgement back.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say that somebody sees to an alert; it stays open, and nobody is reminded of it."""
    from callboard.control.actions import alerts as actions
    from callboard.control.auth import local_principal

    with context() as system:
        if undo:
            done = actions.unacknowledge(system, local_principal(), alert)
        else:
            done = actions.acknowledge(system, local_principal(), alert, note=note)
    if as_json:
        print_json(done)
    else:
        what = "is not acknowledged any more" if undo else "is acknowledged"
        out.print(Text(f"The alert {alert} ({done.kind} {done.subject}) {what}."))


@alerts.command("silences", epilog="Example:  callboard alerts silences --all")
def list_silences(
    everything: Annotated[bool, flag("--all", help="Also those that are over.")] = False,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List the windows of time in which nobody is told of some alerts."""
    from callboard.control.reads.silences import silences

    with context() as system:
        found, _ = silences(system, open_only=not everything, limit=limit)
    if as_json:
        print_json({"silences": found})
        return
    if not found:
        err.print("There is no silence.")
        return
    table = listing("ID", "WHAT", "FROM", "UNTIL", "BY", "REASON")
    for each in found:
        times = (moment(each.from_at), moment(each.until_at))
        table.add_row(str(each.id), Text(str(each)), *times, Text(each.created_by), Text(each.reason))
    out.print(table)


@alerts.command(
    "silence", epilog='Example:  callboard alerts silence --subject "mail*" --for 2h --reason "they move"'
)
def silence(
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why, for everybody to see.", show_default=False)
    ],
    length: Annotated[
        str, typer.Option("--for", metavar="SPAN", help="How long, as 30min, 2h or 7d.")
    ] = "1h",
    kind: Kind = None,
    subject: Annotated[
        str | None,
        typer.Option(
            metavar="PATTERN",
            help="Only what is about this; `*` stands for anything.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Have nobody told of alerts for a while, of all where nothing is named. They are opened nevertheless."""
    from callboard.control.actions import alerts as actions
    from callboard.control.auth import local_principal
    from callboard.core.clock import utcnow
    from callboard.core.moments import read_span

    with context() as system:
        made = actions.silence(
            system,
            local_principal(),
            reason=reason,
            until=utcnow() + read_span(length),
            kind=kind,
            subject=subject,
        )
    if as_json:
        print_json(made)
    else:
        out.print(Text(f"Nobody is told of {made} until {moment(made.until_at)}: silence {made.id}."))


@alerts.command("unsilence", epilog="Example:  callboard alerts unsilence 12")
def unsilence(
    silence: Annotated[
        int, typer.Argument(min=1, metavar="ID", help="The silence's id.", show_default=False)
    ],
    as_json: AsJson = False,
) -> None:
    """End a silence before its time; what is open then is told."""
    from callboard.control.actions.alerts import end_silence
    from callboard.control.auth import local_principal

    with context() as system:
        done = end_silence(system, local_principal(), silence)
    if as_json:
        print_json(done)
    else:
        out.print(Text(f"The silence {done.id} of {done} is over."))


@alerts.command("test", epilog="Example:  callboard alerts test")
def send_test_message(as_json: AsJson = False) -> None:
    """Send a test message to everybody who is told of alerts, and say what came of it."""
    from callboard.control.actions.alerts import send_test
    from callboard.control.auth import local_principal

    with context() as system:
        tried = send_test(system, local_principal())
    if as_json:
        print_json({"places": tried})
    else:
        for each in tried:
            said = ("sent", "green") if each.error is None else (f"not sent: {each.error}", "red")
            out.print(Text.assemble((each.place, "bold"), "  ", said))
    if any(each.error for each in tried):
        raise typer.Exit(1)


def _table(found: "tuple[Alert, ...]") -> Table:
    table = listing("ID", "OPENED", "CLOSED", "KIND", "SUBJECT", "MESSAGE")
    for each in found:
        style = "dim" if each.resolved_at else COLOURS.get(each.severity, "")
        table.add_row(
            str(each.id),
            moment(each.opened_at),
            moment(each.resolved_at),
            Text(each.kind, style=style),
            Text(each.subject, style="bold"),
            Text(" ".join(each.message.split()) + _state(each)),
        )
    return table


def _state(alert: "Alert") -> str:
    if not alert.open:
        return ""
    said = []
    if alert.acknowledged_by is not None:
        said.append(f"acknowledged by {alert.acknowledged_by}")
    if alert.silenced_until is not None:
        said.append(f"silenced until {moment(alert.silenced_until)}")
    if alert.trouble is not None:
        said.append(f"not told: {alert.trouble}")
    return f" [{'; '.join(said)}]" if said else ""
