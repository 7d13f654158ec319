"""Jobs and runs as tables and cards."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from callboard.core.display import DASH, distance, rate, span

if TYPE_CHECKING:
    from callboard.control.reads.jobs import Job
    from callboard.control.reads.runs import Run

STATES = {
    "succeeded": "green",
    "failed": "red",
    "dead": "red",
    "cancelled": "yellow",
    "skipped": "yellow",
    "processing": "cyan",
    "running": "cyan",
    "pending": "blue",
    "queued": "blue",
    "disabled": "dim",
}
MARKS = {"ok": "green", "warning": "yellow", "bad": "red", "none": "dim"}


def jobs_table(found: "tuple[Job, ...]") -> Table:
    """One row a job."""
    now = datetime.now(UTC)
    table = listing("JOB", "STATE", "SCHEDULE", "NEXT", "LAST RUN", "TOOK", "SUCCESS")
    table.columns[-1].justify = table.columns[-2].justify = "right"
    for job in found:
        last = job.last_run
        table.add_row(
            Text(job.name, style="bold" if job.enabled else "dim"),
            state(job.state),
            Text(job.schedule_words),
            distance(job.next_run_at, now),
            Text(distance(last.started_at, now), style=STATES.get(last.state, "")) if last else DASH,
            span(last.duration_ms) if last else DASH,
            Text(rate(job.stats.success_rate), style=MARKS[job.stats.mark]),
        )
    return table


def job_card(job: "Job") -> Table:
    """All that is known of a job."""
    card = new_card()
    card.add_row("State", state(job.state))
    card.add_row("Category", job.category or DASH)
    card.add_row("Queue", job.queue)
    for schedule in job.schedules:
        words = Text.assemble(schedule.words, (f"  ({schedule.expr})", "dim"))
        if not schedule.enabled:
            words.append("  switched off", style="yellow")
        card.add_row("Schedule", words)
    if not job.schedules:
        card.add_row("Schedule", "none: it runs when asked to")
    if job.next_run_at:
        card.add_row("Next run", f"{moment(job.next_run_at)} ({distance(job.next_run_at)})")
    if job.last_run:
        last = job.last_run
        when = f" {moment(last.started_at)} ({distance(last.started_at)}), took {span(last.duration_ms)}"
        card.add_row("Last run", state(last.state).append(when, style=""))
        if last.error:
            card.add_row("", Text(last.error, style="red"))
    card.add_row("Time limit", span(job.time_limit_ms))
    card.add_row("Attempts", "no limit" if job.max_attempts is None else f"up to {job.max_attempts}")
    card.add_row("Arguments", _signature(job))
    stats = job.stats
    if stats.executions:
        counts = f"{stats.executions} executions in {stats.days} days, {stats.failures} failed"
        card.add_row("Success", Text.assemble((rate(stats.success_rate), MARKS[stats.mark]), f" of {counts}"))
        took = f"{span(stats.average_ms)} on average, {span(stats.minimum_ms)} to {span(stats.maximum_ms)}"
        card.add_row("Duration", took)
    else:
        card.add_row("Success", f"no executions in {stats.days} days")
    if job.modified_by or job.notes:
        card.add_row("Switched by", f"{job.modified_by or 'nobody known'} {distance(job.modified_at)}")
        card.add_row("Notes", job.notes or DASH)
    return card


def history_table(runs: "tuple[Run, ...]") -> Table:
    """One row a run."""
    table = listing("STARTED", "STATE", "TOOK", "TRIGGER", "ATTEMPT", "RUN", "ERROR")
    table.columns[2].justify = "right"
    for run in runs:
        why = run.error or run.reason or ""
        table.add_row(
            moment(run.started_at or run.enqueued_at),
            state(run.state),
            span(run.duration_ms if run.ended else run.running_ms(datetime.now(UTC))),
            run.trigger,
            f"{run.attempt}/{run.max_attempts or DASH}",
            Text(str(run.run_id), style="dim"),
            Text(
                " ".join(why.split()), style="red" if run.error else "dim", overflow="ellipsis", no_wrap=True
            ),
        )
    return table


def state(name: str) -> Text:
    """A state in its colour."""
    return Text(name, style=STATES.get(name, ""))


def listing(*columns: str) -> Table:
    """An empty table with these columns."""
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False, show_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold" if name in ("JOB", "SCHEDULE") else "ellipsis")
        table.columns[-1].no_wrap = name not in ("JOB", "SCHEDULE")
    return table


def new_card() -> Table:
    """An empty card: a name and a value a row."""
    card = Table.grid(padding=(0, 2))
    card.add_column(style="dim", no_wrap=True)
    card.add_column(overflow="fold")
    return card


def _signature(job: "Job") -> str:
    words = []
    for each in job.signature:
        text = f"{each['name']}: {each['type']}" if each.get("type") else str(each["name"])
        words.append(text if each.get("required") else f"[{text}]")
    return ", ".join(words) or "none"


def moment(at: datetime | None) -> str:
    """A moment in the time zone of this machine: `2026-11-22 14:05:09`."""
    return DASH if at is None else at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
