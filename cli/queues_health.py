"""`callboard queues health`."""

from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.text import Text

from callboard.cli.app import AsJson, queues
from callboard.cli.console import err, out, print_json
from callboard.cli.jobs import context
from callboard.cli.tables import moment
from callboard.core.display import DASH, many, printable, span
from callboard.core.health.waits import EXPLAINED, PARTS

if TYPE_CHECKING:
    from callboard.control.reads.backlog import Backlog
    from callboard.control.reads.health import QueueHealth
    from callboard.control.reads.spans import Span
    from callboard.control.reads.waits import Waits

_STYLES = {"healthy": "green", "degraded": "yellow", "critical": "red", "unknown": "dim"}


@queues.command("health", epilog="Example:  callboard queues health default")
def health(
    queue: Annotated[
        str | None, typer.Argument(metavar="QUEUE", help="Only this queue.", show_default=False)
    ] = None,
    window: Annotated[
        str,
        typer.Option(
            metavar="SPAN", help="Of one queue's waits: hour, day, week or 90days.", show_default=True
        ),
    ] = "hour",
    as_json: AsJson = False,
) -> None:
    """Show how well queues do over the last 15 minutes: score, what lowers it and why, and what to do.

    Of one queue also where its backlog goes, what its runs waited for, and which jobs held the threads.
    """
    from callboard.control.reads.backlog import queue_backlog
    from callboard.control.reads.health import queue_health, queues_health
    from callboard.control.reads.waits import queue_waits

    if queue is not None:
        over = cast("Span", window)
        with context() as system:
            one = queue_health(system, queue)
            backlog, waits = queue_backlog(system, queue, over), queue_waits(system, queue, over)
        if as_json:
            print_json({"queues": [one], "backlog": backlog, "waits": waits})
        else:
            _show(one)
            _more(backlog, waits)
        return
    with context() as system:
        found = queues_health(system)
    if as_json:
        print_json({"queues": found})
        return
    if not found:
        err.print("No queue is known yet: queues appear when a worker that serves them starts.")
    for each in found:
        _show(each)


def _show(found: "QueueHealth") -> None:
    value = DASH if found.score.value is None else f"{found.score.value:.2f}"
    out.print(Text.assemble((found.name, "bold"), f"  {value}  ", (found.status, _STYLES[found.status])))
    if found.score.note is not None:
        _line(found.score.note)
    for deduction in found.score.deductions:
        _line(f"-{deduction.amount:.2f}  {deduction.evidence}")
    for each in found.bottlenecks:
        since = f" (since {moment(each.since)})" if each.since is not None else ""
        _line(f"{each.severity} {each.type}: {each.evidence}{since}")
    for advice in found.recommendations:
        _line(f"-> {advice.text}")


def _more(backlog: "Backlog", waits: "Waits") -> None:
    if backlog.forecast is not None:
        _line(str(backlog.forecast))
    if waits.parts:
        _line(f"{many(waits.runs, 'run')} waited, on average:")
    for part in waits.parts:
        _line(f"  {span(part.mean_ms):>12}  {PARTS[part.part]}, {EXPLAINED[part.part]}")
    if waits.blame:
        _line("Threads were held by:")
    for each in waits.blame:
        usual = "" if each.usual_s is None else f", usually {span(each.usual_s * 1000)}"
        _line(f"  {each.share:>5.0%}  {each.job}: {span(each.busy_s * 1000)}{usual}")


def _line(text: str) -> None:
    out.print(Text(f"  {printable(text)}"))
