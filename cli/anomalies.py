"""`callboard anomalies` and `callboard schedules collisions`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from callboard.cli.app import AsJson, app, schedules
from callboard.cli.console import err, out, print_json
from callboard.cli.jobs import context
from callboard.cli.tables import listing, moment
from callboard.core.anomalies import KINDS
from callboard.core.display import DASH, many, span
from callboard.core.errors import BadInput

if TYPE_CHECKING:
    from callboard.control.reads.collisions import PoolWeek

COLOURS = {"warning": "yellow", "critical": "red"}


@app.command("anomalies", rich_help_panel="Jobs", epilog="Example:  callboard anomalies health-check")
def anomalies(
    job: Annotated[
        str | None, typer.Argument(metavar="JOB", help="Only of this job.", show_default=False)
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(metavar="KIND", help=f"Only of this kind: {', '.join(KINDS)}.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List what is out of the ordinary: runs of the last day, those under way, slots that nobody decided."""
    from callboard.control.reads.anomalies import anomalies as read

    chosen = next((each for each in KINDS if each == kind), None)
    if kind is not None and chosen is None:
        raise BadInput(f"There is no kind {kind[:40]!r}; the kinds are {', '.join(KINDS)}.")
    with context() as system:
        found = read(system, job=job, kind=chosen)
    if as_json:
        print_json({"anomalies": found})
        return
    if not found:
        err.print("Nothing is out of the ordinary.")
        return
    table = listing("SINCE", "KIND", "JOB", "EVIDENCE", "RUN")
    for each in found:
        table.add_row(
            moment(each.since),
            Text(each.kind, style=COLOURS[each.severity]),
            Text(each.job, style="bold"),
            Text(each.evidence),
            Text(str(each.run_id) if each.run_id else DASH, style="dim"),
        )
    out.print(table)


@schedules.command("collisions", epilog="Example:  callboard schedules collisions")
def collisions(as_json: AsJson = False) -> None:
    """Show where the coming week's runs want more threads than there are, and what would part them."""
    from callboard.control.reads.collisions import collisions as read

    with context() as system:
        found = read(system)
    if as_json:
        print_json({"pools": [_plain(pool) for pool in found]})
        return
    if not found:
        err.print("No schedule is on.")
    for pool in found:
        _show(pool)


def _plain(pool: "PoolWeek") -> dict[str, Any]:
    """What the API answers of it: the demand by the hour instead of by the minute."""
    return {
        "queues": pool.queues,
        "workers": pool.workers,
        "threads": pool.threads,
        "start": pool.week.start,
        "peak": pool.week.peak,
        "hours": pool.hours(),
        "collisions": pool.collisions,
    }


def _show(pool: "PoolWeek") -> None:
    out.print(Text(", ".join(pool.queues), style="bold"))
    wanted = f"at most {many(pool.week.peak, 'run')} at once within the week"
    if not pool.workers:
        out.print(f"  No worker serves them; {wanted}.")
        return
    out.print(f"  {many(pool.threads, 'thread')} of {many(pool.workers, 'worker')}; {wanted}.")
    if not pool.collisions:
        return
    table = listing("FIRST", "TIMES", "WANT", "WAIT", "JOBS", "QUIETER")
    for each in pool.collisions:
        more = f", {each.more} more" if each.more else ""
        moved = each.quieter
        table.add_row(
            moment(each.at),
            str(each.times),
            Text(f"{each.demand} of {each.slots}", style=COLOURS[each.severity]),
            span(each.delay_ms),
            Text(", ".join(each.jobs) + more),
            DASH if moved is None else f"{moved.job} {moved.minutes:+d} min",
        )
    out.print(table)
