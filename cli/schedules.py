"""`callboard schedules list | show | why`."""

from typing import Annotated

import typer
from rich.text import Text

from callboard.cli import schedules_tables as tables
from callboard.cli.app import AsJson, JobName, schedules
from callboard.cli.console import err, out, print_json
from callboard.cli.jobs import context

ScheduleName = Annotated[
    str,
    typer.Argument(
        metavar="SCHEDULE",
        help="Its name (JOB/NAME), its id, or its job, where that has one.",
        show_default=False,
    ),
]
Zone = Annotated[
    str | None,
    typer.Option("--tz", metavar="ZONE", help="Time zone, by its IANA name.", show_default=False),
]
#: So many coming runs `show` names.
SHOWN = 5


@schedules.command("list", epilog="Example:  callboard schedules list --job health-check")
def list_schedules(
    job: Annotated[
        str | None, typer.Option(metavar="JOB", help="Only of this job.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List schedules: what each says, when it is due next, what became of its last slot."""
    from callboard.control.reads import schedules as reads

    with context() as system:
        found = reads.schedules(system, job=job)
    if as_json:
        print_json(found)
    elif found:
        out.print(tables.schedules_table(found))
    else:
        err.print("There is no schedule: `callboard schedules add` makes one.")


@schedules.command("show", epilog="Example:  callboard schedules show health-check/code:1")
def show(name: ScheduleName, as_json: AsJson = False) -> None:
    """Show all that is known of a schedule, and its next runs."""
    from callboard.control.reads import schedules as reads
    from callboard.control.reads.previews import preview

    with context() as system:
        found = reads.find(system, name)
    if as_json:
        print_json(found)
        return
    out.print(Text(found.name, style="bold"))
    out.print(tables.schedule_card(found))
    if found.enabled:
        out.print(tables.runs_table(preview(found.expr, found.tz, count=SHOWN)))


@schedules.command("why", epilog="Example:  callboard schedules why health-check --at 08:00")
def why(
    job: JobName,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="Explain the slot of this time: 08:00 in the schedule's zone, or ISO 8601.",
            show_default=False,
        ),
    ] = None,
    since: Annotated[
        str, typer.Option(metavar="SPAN", help="List the slots of the last so long: 30min, 2h, 7d.")
    ] = "24h",
    tz: Zone = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="At most so many slots.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Say why a job ran, or did not: each time that it was due, what became of it, and why."""
    from callboard.control.reads import why as answers
    from callboard.control.reads.ledger import Wanted, page
    from callboard.control.reads.schedules import schedules as read_schedules
    from callboard.core.clock import utcnow
    from callboard.core.moments import read_span

    with context() as system:
        if at is not None:
            answer = answers.why(system, job, at, tz=tz)
            if as_json:
                print_json(answer)
            for sentence in () if as_json else answer.sentences:
                out.print(sentence)
            return
        span = read_span(since)
        read_schedules(system, job=job)
        slots, following = page(system, Wanted(job=job, since=utcnow() - span), limit=limit)
    if as_json:
        print_json(slots)
    elif slots:
        out.print(tables.ledger_table(slots, tz))
    else:
        err.print(f"{job} was not due in the last {since}.")
    if following and not as_json:
        err.print(f"There are more than {limit}: raise --limit, or shorten --since.")
