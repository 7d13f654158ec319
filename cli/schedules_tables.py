"""Schedules, their slots, their coming runs and what an edit changes, as tables."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson
from rich.table import Table
from rich.text import Text

from callboard.cli.tables import STATES, listing, moment, new_card
from callboard.core.display import DASH, count, distance, many, per_day, zone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from callboard.control.actions.schedule_templates import Applied
    from callboard.control.reads.ledger import Occurrence
    from callboard.control.reads.previews import Preview
    from callboard.control.reads.schedules import LastSlot, Schedule
    from callboard.core.edits import Edit
    from callboard.core.templates import Template

DISPOSITIONS = {
    "fired": "green",
    "late": "yellow",
    "coalesced": "yellow",
    "missed": "red",
    "undecided": "red",
}
#: So many of the slots that an edit brings, or lets go, are named.
NAMED = 5


def schedules_table(found: "Sequence[Schedule]") -> Table:
    """One row a schedule."""
    now = datetime.now(UTC)
    table = listing("NAME", "SCHEDULE", "EXPRESSION", "STATE", "NEXT", "LAST SLOT", "ID")
    for each in found:
        table.add_row(
            Text(each.name, style="bold" if each.runs else "dim"),
            each.words,
            each.expr,
            _switch(each),
            distance(each.next_at, now) if each.runs else DASH,
            _last(each, now),
            Text(str(each.id), style="dim"),
        )
    return table


def schedule_card(found: "Schedule") -> Table:
    """All that is known of a schedule."""
    shown = new_card()
    shown.add_row("Says", Text.assemble(found.words, (f"  ({found.expr})", "dim")))
    shown.add_row("Time zone", found.tz)
    shown.add_row("State", _switch(found))
    if found.args or found.kwargs:
        shown.add_row("Arguments", orjson.dumps([found.args, found.kwargs]).decode())
    shown.add_row("Slots missed", f"{found.misfire}, at most {found.misfire_limit}")
    shown.add_row("On time for", f"{found.grace_ms / 1000:g} s")
    if found.last:
        shown.add_row("Last slot", f"{moment(found.last.due_at)}: {_reason(found.last)}")
    if found.edited and found.declared is not None:
        shown.add_row("The code says", f"{found.declared.get('expr')} {found.declared.get('tz')}")
    if found.changed_by:
        shown.add_row("Changed by", f"{found.changed_by}, {moment(found.changed_at)}")
    shown.add_row("Made by", "the code" if found.origin == "code" else "an operator")
    shown.add_row("Id", str(found.id))
    return shown


def ledger_table(slots: "Sequence[Occurrence]", tz: str | None) -> Table:
    """One row a slot, the latest first; times in a zone, else in the schedule's own."""
    table = listing("DUE", "ZONE", "SCHEDULE", "BECAME", "RUN", "RUN STATE", "REASON")
    for slot in slots:
        name = tz or slot.tz or "UTC"
        why = slot.run_reason if slot.run_state in ("failed", "dead", "skipped", "cancelled") else None
        table.add_row(
            f"{slot.due_at.astimezone(zone(name)):%Y-%m-%d %H:%M:%S}",
            name,
            slot.key or DASH,
            Text(slot.disposition, style=DISPOSITIONS.get(slot.disposition, "yellow")),
            Text(str(slot.run_id) if slot.run_id else DASH, style="dim"),
            Text(slot.run_state or DASH, style=STATES.get(slot.run_state or "", "")),
            Text(" ".join((why or slot.reason or "").split()), overflow="ellipsis", no_wrap=True),
        )
    return table


def runs_table(preview: "Preview") -> Table:
    """One row a coming run."""
    table = listing(preview.tz if preview.tz != "UTC" else "DUE", "UTC", "NOTE")
    for run in preview.runs:
        table.add_row(
            f"{run.local:%a %Y-%m-%d %H:%M:%S}",
            f"{run.at:%Y-%m-%d %H:%M:%S}",
            Text(run.note or "", style="yellow"),
        )
    return table


def edit_lines(edit: "Edit", tz: str) -> list[str]:
    """What an edit changes, in a few lines."""
    here = zone(tz)

    def named(slots: "Sequence[datetime]") -> str:
        times = [slot.astimezone(here) for slot in slots[:NAMED]]
        shown = ", ".join(f"{time:%a %d %H:%M:%S}".removesuffix(":00") for time in times)
        return shown + (" ..." if len(slots) > NAMED else "")

    until = f"{edit.until.astimezone(here):%a %d %b %H:%M}"
    counts = f"{many(len(edit.kept), 'slot')} stay, {count(len(edit.gone))} go, {count(len(edit.new))} come"
    lines = [f"Until {until}: {counts}."]
    if edit.gone:
        lines.append(f"Gone: {named(edit.gone)}")
    if edit.new:
        lines.append(f"New: {named(edit.new)}")
    lines.append(f"Runs a day: {per_day(edit.per_day_before)} before, {per_day(edit.per_day_after)} after.")
    return lines


def templates_table(found: "Sequence[Template]") -> Table:
    """One row a template."""
    table = listing("TEMPLATE", "SYNC", "TOTALS", "FOR")
    for each in found:
        table.add_row(
            Text(each.slug, style="bold"),
            each.expressions["sync"],
            each.expressions["totals"],
            each.purpose,
        )
    return table


def applied_table(done: "Applied") -> Table:
    """One row a schedule that is touched."""
    table = listing("JOB", "WHAT", "SCHEDULE", "BEFORE", "AFTER", "ZONE")
    for change in done.jobs:
        for step in change.steps:
            after = step.expr if step.what in ("add", "edit", "keep") else DASH
            table.add_row(step.job, step.what, step.key, step.expr_before or DASH, after, step.tz)
    return table


def _switch(found: "Schedule") -> Text:
    if found.retired:
        return Text("retired: the code no longer declares it", style="dim")
    if not found.enabled:
        return Text("off", style="yellow")
    if not found.job_declared:
        return Text("no running code", style="yellow")
    return Text("on", style="green") if found.job_enabled else Text("its job is off", style="yellow")


def _last(found: "Schedule", now: datetime) -> Text:
    if found.last is None:
        return Text(DASH)
    style = DISPOSITIONS.get(found.last.disposition, "yellow")
    return Text.assemble((found.last.disposition, style), f" {distance(found.last.due_at, now)}")


def _reason(last: "LastSlot") -> str:
    return ", ".join(part for part in (last.disposition, last.reason) if part)
