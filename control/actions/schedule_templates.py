"""Apply a template: give two jobs that belong together its schedules, in one transaction.

A job has at most one schedule out of a template. Applying another one edits that schedule, so its history
goes on. The job's other schedules are switched off, or it would run by both; they can be switched on again.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection

from callboard.control.actions.schedule_fields import DEFAULTS, checked_fields
from callboard.control.actions.schedules import PERMISSION, Held, said
from callboard.control.audit import Entry, audited, record
from callboard.control.context import Context
from callboard.control.principal import Principal
from callboard.control.reads.names import UnknownJob
from callboard.control.reads.previews import compare_plans
from callboard.control.reads.schedules import FIELDS, name_of
from callboard.core.clock import utcnow
from callboard.core.edits import Edit
from callboard.core.errors import BadInput, Conflict
from callboard.core.limits import storable
from callboard.core.templates import JobRole, Template, template
from callboard.storage.queries import Row
from callboard.storage.queries import audit as audit_queries
from callboard.storage.queries import jobs as job_queries
from callboard.storage.queries import schedules as queries
from callboard.storage.queries import switches as switch_queries

#: The keys of schedules that templates have made begin with this; the template's slug follows.
MARK = "template:"

What = Literal["add", "edit", "keep", "disable", "remove"]
ACTIONS: Mapping[What, str] = {
    "add": "add_schedule",
    "edit": "edit_schedule",
    "disable": "disable_schedule",
    "remove": "remove_schedule",
}


@dataclass(frozen=True, slots=True)
class Step:
    """What is done with one schedule; `expr` and `tz` are what it says afterwards."""

    what: What
    job: str
    key: str
    schedule_id: int | None
    expr_before: str | None
    expr: str
    tz: str


@dataclass(frozen=True, slots=True)
class JobChange:
    """What applying a template does to one job: step by step, and to its coming slots."""

    job: str
    role: JobRole
    steps: tuple[Step, ...]
    edit: Edit


@dataclass(frozen=True, slots=True)
class Applied:
    """A template that was applied, or with `dry_run` what applying it would do."""

    template: Template
    dry_run: bool
    jobs: tuple[JobChange, ...]


def apply_template(
    context: Context,
    principal: Principal,
    name: str,
    *,
    sync: str,
    totals: str,
    tz: str | None = None,
    keep_others: bool = False,
    dry_run: bool = False,
) -> Applied:
    """Give the jobs `sync` and `totals` the schedules of a template, both or neither.

    Parameters:
        tz: the time zone of both schedules; None: that of the job's schedules, else UTC.
        keep_others: leave the other schedules of the jobs on.
        dry_run: change nothing; say what would be done.

    Raises:
        NotAllowed: the role does not include `schedules:edit`.
        NotFound: there is no such template, or no job of a name.
        BadInput: both jobs are the same, the zone is none, or a job cannot run without arguments.
    """
    wanted = template(name)
    jobs: dict[JobRole, str] = {"sync": storable(sync), "totals": storable(totals)}
    if sync == totals:
        raise BadInput("A template is for two jobs; name another one for sync than for totals.")
    if dry_run:
        for job in jobs.values():
            principal.require(PERMISSION, job)
        with context.read() as connection:
            rows = {job: queries.schedules(connection, job=job) for job in jobs.values()}
            return _plan(connection, wanted, jobs, rows, tz, keep_others=keep_others, dry_run=True)
    with _audited(context, principal, wanted, jobs) as entry:
        for job in sorted(jobs.values()):
            audit_queries.lock(entry.connection, f"schedules {job}")
        held = queries.hold_of_jobs(entry.connection, list(jobs.values()))
        rows = {job: [row for row in held if row["job_name"] == job] for job in jobs.values()}
        done = _plan(entry.connection, wanted, jobs, rows, tz, keep_others=keep_others, dry_run=False)
        by_id = {row["id"]: row for row in held}
        for change in done.jobs:
            for step in change.steps:
                _take(entry, principal, step, by_id, f"{MARK}{wanted.slug}")
        entry.after = {
            change.job: {step.key: f"{step.what} {step.expr} {step.tz}" for step in change.steps}
            for change in done.jobs
        }
    return done


@contextmanager
def _audited(
    context: Context, principal: Principal, wanted: Template, jobs: Mapping[JobRole, str]
) -> Iterator[Entry]:
    with audited(
        context,
        principal,
        permission=PERMISSION,
        action="apply_template",
        target=wanted.slug,
        job=jobs["sync"],
    ) as entry:
        principal.require(PERMISSION, jobs["totals"])
        yield entry


def _plan(
    connection: Connection,
    wanted: Template,
    jobs: Mapping[JobRole, str],
    rows: Mapping[str, Sequence[Row]],
    tz: str | None,
    *,
    keep_others: bool,
    dry_run: bool,
) -> Applied:
    now = utcnow()
    changes = []
    for role, job in jobs.items():
        switch = switch_queries.switch(connection, job)
        if switch is None:
            raise UnknownJob(job, job_queries.names(connection))
        steps = tuple(_steps(wanted, role, job, switch, rows[job], tz, keep_others=keep_others))
        changes.append(JobChange(job, role, steps, _edit(rows[job], steps, now)))
    return Applied(wanted, dry_run, tuple(changes))


def _steps(
    wanted: Template,
    role: JobRole,
    job: str,
    switch: Row,
    rows: Sequence[Row],
    tz: str | None,
    *,
    keep_others: bool,
) -> Iterator[Step]:
    key = f"{MARK}{wanted.slug}"
    made = [row for row in rows if row["key"].startswith(MARK)]
    others = [row for row in rows if row not in made]
    mine = made[0] if made else None
    near = tz or next((row["tz"] for row in [*made, *others]), "UTC")
    given = DEFAULTS if mine is None else {name: mine[name] for name in FIELDS}
    fields = checked_fields(job, switch, {**given, "expr": wanted.expressions[role], "tz": near})
    if mine is None:
        yield Step("add", job, key, None, None, fields["expr"], near)
    else:
        same = (mine["key"], mine["expr"], mine["tz"], mine["enabled"]) == (key, fields["expr"], near, True)
        yield Step("keep" if same else "edit", job, key, mine["id"], mine["expr"], fields["expr"], near)
    for row in made[1:]:
        yield _of("remove", row)
    for row in others:
        if row["enabled"] and not keep_others:
            yield _of("disable", row)


def _of(what: What, row: Row) -> Step:
    return Step(what, row["job_name"], row["key"], row["id"], row["expr"], row["expr"], row["tz"])


def _edit(rows: Sequence[Row], steps: Sequence[Step], now: datetime) -> Edit:
    before = [(row["expr"], row["tz"]) for row in rows if row["enabled"]]
    touched = {step.schedule_id for step in steps}
    after = [(row["expr"], row["tz"]) for row in rows if row["enabled"] and row["id"] not in touched]
    after += [(step.expr, step.tz) for step in steps if step.what in ("add", "edit", "keep")]
    return compare_plans(before, after, now)


def _take(entry: Entry, principal: Principal, step: Step, rows: Mapping[int, Row], made_by: str) -> None:
    """Take one step, with a row of its own in the trail: who asks for the ledger looks there."""
    if step.what == "keep":
        return
    own = Entry(entry.connection, name_of(step.job, step.key))
    if step.schedule_id is None:
        values: dict[str, Any] = {**DEFAULTS, "expr": step.expr, "tz": step.tz, "enabled": True}
        row = queries.add(
            entry.connection, {**values, "job_name": step.job, "key": step.key}, by=principal.name
        )
        if row is None:
            raise Conflict(f"The job {step.job} has just been given a schedule {step.key}; look again.")
        own.after = said(row)
    else:
        held = Held(own, rows[step.schedule_id], principal.name)
        fields = {name: held.row[name] for name in FIELDS}
        if step.what == "remove":
            held.remove()
        elif step.what == "disable":
            held.write(fields, enabled=False)
        else:
            held.write({**fields, "expr": step.expr, "tz": step.tz}, enabled=True, key=step.key)
    record(
        entry.connection,
        principal,
        action=ACTIONS[step.what],
        target=own.target,
        before=own.before,
        after=None if own.after is None else {**own.after, "by": made_by},
    )
