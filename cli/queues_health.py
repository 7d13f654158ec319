"""`callboard queues health`."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from callboard.cli.app import AsJson, queues
from callboard.cli.console import err, out, print_json
from callboard.cli.jobs import context
from callboard.core.display import DASH, printable

if TYPE_CHECKING:
    from callboard.control.reads.health import QueueHealth

_STYLES = {"healthy": "green", "degraded": "yellow", "critical": "red", "unknown": "dim"}


@queues.command("health", epilog="Example:  callboard queues health default")
def health(
    queue: Annotated[
        str | None, typer.Argument(metavar="QUEUE", help="Only this queue.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show how well queues do over the last 15 minutes: score, what lowers it and why, and what to do."""
    from callboard.control.reads.health import queue_health, queues_health

    with context() as system:
        found = queues_health(system) if queue is None else (queue_health(system, queue),)
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
        _line(f"{each.severity} {each.type}: {each.evidence}")
    for advice in found.recommendations:
        _line(f"-> {advice.text}")


def _line(text: str) -> None:
    out.print(Text(f"  {printable(text)}"))
