"""`callboard queues trend` and `callboard jobs trend`."""

from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.text import Text

from callboard.cli.app import AsJson, JobName, jobs, queues
from callboard.cli.console import out, print_json
from callboard.cli.jobs import context
from callboard.cli.tables import listing, moment
from callboard.core.display import DASH, count, rate, span

if TYPE_CHECKING:
    from callboard.control.reads.spans import Span
    from callboard.core.health import Trend

Window = Annotated[
    str, typer.Option(metavar="SPAN", help="How far back: hour, day, week or 90days.", show_default=True)
]
QueueName = Annotated[str, typer.Argument(metavar="QUEUE", help="The queue's name.", show_default=False)]
FIGURES = {
    "throughput": "Runs",
    "failure_rate": "Failures",
    "wait_p95_ms": "Wait (p95)",
    "duration_p95_ms": "Duration (p95)",
}


@queues.command("trend", epilog="Example:  callboard queues trend default --window week")
def trend_of_queue(queue: QueueName, window: Window = "day", as_json: AsJson = False) -> None:
    """Show how a queue came to where it is: figures over time, what is usual then, and what changed."""
    from callboard.control.reads.health_trends import queue_trend

    with context() as system:
        found = queue_trend(system, queue, cast("Span", window))
    _show({"queue": queue, "window": window}, found, as_json=as_json)


@jobs.command("trend", epilog="Example:  callboard jobs trend health-check --window week")
def trend_of_job(job: JobName, window: Window = "day", as_json: AsJson = False) -> None:
    """Show how a job came to where it is: figures over time, what is usual then, and what changed."""
    from callboard.control.reads.health_trends import job_trend

    with context() as system:
        found = job_trend(system, job, cast("Span", window))
    _show({"job": job, "window": window}, found, as_json=as_json)


def _show(about: dict[str, str], found: "Trend", *, as_json: bool) -> None:
    if as_json:
        print_json(about | {"trend": found})
        return
    table = listing("FROM", "RUNS", "USUAL", "FAILED", "USUAL", "WAIT P95", "USUAL", "TOOK P95", "USUAL")
    for column in table.columns[1:]:
        column.justify = "right"
    for each, usual in zip(found.points, found.usual, strict=True):
        figures = (
            (count(each.finished), DASH if usual.finished is None else f"{usual.finished:,.0f}"),
            (_share(each.failure_rate), _share(usual.failure_rate)),
            (span(each.wait_p95_ms), span(usual.wait_p95_ms)),
            (span(each.duration_p95_ms), span(usual.duration_p95_ms)),
        )
        cells = (
            Text(shown, style=style)
            for pair in figures
            for shown, style in zip(pair, ("", "dim"), strict=True)
        )
        table.add_row(moment(each.at), *cells)
    out.print(table)
    for change in found.changes:
        if change.direction != "unknown":
            now, before = _figure(change.figure, change.now), _figure(change.figure, change.before)
            words = "steady" if change.direction == "steady" else f"{change.direction}, before {before}"
            out.print(Text(f"{FIGURES[change.figure]}: {now}, {words}"))


def _figure(figure: str, value: float | None) -> str:
    if figure == "failure_rate":
        return _share(value)
    return span(value) if figure.endswith("_ms") else f"{value or 0:,.0f}"


def _share(value: float | None) -> str:
    return rate(None if value is None else value * 100)
