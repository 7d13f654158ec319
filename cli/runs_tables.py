"""Runs as tables and cards."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from callboard.cli.tables import listing, moment, new_card, state
from callboard.core.clock import utcnow
from callboard.core.display import DASH, span

if TYPE_CHECKING:
    from uuid import UUID

    from callboard.control.reads.flows import Part
    from callboard.control.reads.runs import Run, RunDetail


def runs_table(found: "tuple[Run, ...]") -> Table:
    """One row a run."""
    now = utcnow()
    table = listing("SENT", "JOB", "STATE", "TOOK", "ATTEMPT", "RUN", "WHY")
    table.columns[3].justify = "right"
    for run in found:
        took = run.duration_ms if run.ended else run.running_ms(now)
        table.add_row(
            moment(run.enqueued_at),
            Text(run.job, style="bold"),
            state(run.state),
            span(took) if took is not None else DASH,
            f"{run.attempt}/{run.max_attempts or DASH}",
            Text(str(run.run_id), style="dim"),
            Text(" ".join((run.error or run.reason or "").split()), overflow="ellipsis", no_wrap=True),
        )
    return table


def _part(part: "Part", shown: "UUID") -> Text:
    mark = "> " if part.run_id == shown else "  "
    line = Text.assemble(mark, state(part.state), "  ", (part.job, "bold"), f"  {part.run_id or ''}")
    return line.append(f"  {part.reason}" if part.reason else "", style="dim")


def print_run(console: Console, detail: "RunDetail") -> None:
    """All that is known of a run, its log last."""
    run = detail.run
    console.print(Text.assemble((run.job, "bold"), f"  {run.run_id}"))
    table = new_card()
    table.add_row("State", state(run.state))
    told = {
        "Reason": run.reason,
        "Error": f"{run.error_type or ''}: {run.error or ''}".strip(": "),
        "Attempt": f"{run.attempt} of {run.max_attempts or 'any number'}",
        "Queue": run.queue,
        "Asked for by": run.requested_by,
        "Retry of": str(run.retry_of or ""),
        "Retried as": str(detail.retried_as or ""),
        "Due": moment(run.due_at) if run.due_at else "",
        "Sent": moment(run.enqueued_at),
        "Started": moment(run.started_at) if run.started_at else "",
        "Next attempt": moment(run.next_retry_at) if run.next_retry_at and not run.ended else "",
        "Finished": moment(run.finished_at) if run.finished_at else "",
        "Took": span(run.duration_ms) if run.duration_ms is not None else "",
        "Worker": run.worker,
    }
    for name, value in told.items():
        if value:
            table.add_row(name, Text(value))
    console.print(table)
    for flow in detail.flows:
        console.print(Text(f"\n{'Chain' if flow.kind == 'chain' else 'Group'}", style="bold"))
        for part in flow.parts:
            console.print(_part(part, run.run_id))
        for part in flow.then:
            console.print(Text("then ", style="dim") + _part(part, run.run_id))
    if detail.logs:
        console.print(Text("\nLog", style="bold"))
    for line in detail.logs:
        console.print(
            Text(f"{line.at.astimezone():%H:%M:%S}  {line.level:<8} {line.message}"), soft_wrap=True
        )
