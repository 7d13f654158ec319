"""Make, change, switch and delete schedules while everything runs.

Each action holds the schedule while it decides, and takes the version (`changed_at`) that its caller has
seen: where somebody else was faster it is refused, and nothing is written. Slots that had passed, and that a
change would have nobody decide any more, are noted as cancelled.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from callboard.control.actions.schedule_fields import DEFAULTS, checked_fields, checked_key
from callboard.control.audit import Entry, audited
from callboard.control.context import Context
from callboard.control.principal import Principal
from callboard.control.reads import schedules as reads
from callboard.control.reads.jobs import cron_of, hidden_arguments
from callboard.control.reads.names import UnknownJob
from callboard.control.reads.schedules import FIELDS, MAX_ID, Schedule, UnknownSchedule, name_of
from callboard.core.clock import as_utc
from callboard.core.errors import BadInput, BadSchedule, Conflict, Outdated
from callboard.core.hiding import HIDDEN, has_marks, put_back
from callboard.core.limits import storable
from callboard.scheduler.misfire import Policy, settle
from callboard.storage.queries import Row
from callboard.storage.queries import audit as audit_queries
from callboard.storage.queries import jobs as job_queries
from callboard.storage.queries import schedules as queries
from callboard.storage.queries import switches as switch_queries

PERMISSION = "schedules:edit"
#: Whoever schedules this job has SQL of their own choice run.
SQL_JOB = "run-sql"
SQL_PERMISSION = "sql:schedule"


def add_schedule(
    context: Context,
    principal: Principal,
    job: str,
    expr: str,
    *,
    key: str | None = None,
    enabled: bool = True,
    **fields: Any,
) -> Schedule:
    """Give a job one more schedule; its slots count from now on.

    Parameters:
        key: its name within the job; `operator-<n>` where there is none.
        fields: `tz`, `args`, `kwargs`, `misfire`, `misfire_limit` and `grace_ms`, where not the default.

    Raises:
        NotAllowed: the role does not include `schedules:edit`, or for SQL commands `sql:schedule`.
        NotFound: no job has that name.
        BadInput: a field is wrong, or the job does not take the arguments.
        Conflict: the job has a schedule of that name.
    """
    target = name_of(job, key or "")
    with audited(
        context, principal, permission=permission_for(job), action="add_schedule", target=target, job=job
    ) as entry:
        switch = switch_queries.switch(entry.connection, storable(job))
        if switch is None:
            raise UnknownJob(job, job_queries.names(entry.connection))
        given = {name: value for name, value in fields.items() if value is not None}
        values = checked_fields(job, switch, {**DEFAULTS, **given, "expr": expr})
        name = _free_key(entry.connection, job) if key is None else checked_key(key)
        row = queries.add(
            entry.connection,
            {**values, "job_name": job, "key": name, "enabled": enabled},
            by=principal.name,
        )
        if row is None:
            raise Conflict(f"The job {job} has a schedule named {name} already; give this one another name.")
        entry.target = name_of(job, name)
        entry.after = said(row)
    return reads.schedule(context, row["id"])


def edit_schedule(
    context: Context,
    principal: Principal,
    schedule_id: int,
    changes: Mapping[str, Any],
    *,
    version: datetime | None = None,
) -> Schedule:
    """Change some fields of a schedule, or its switch (`enabled`); the rest stays as it is.

    What an operator changes of a schedule that code declares outlives its deploys. Where arguments have the
    mark of a hidden secret, as they were shown, the secret stays.

    Raises:
        NotAllowed, NotFound, BadInput: see `add_schedule`.
        Outdated: the schedule is no longer of that version.
        Conflict: it cannot be switched on.
    """
    with _holding(context, principal, schedule_id, "edit_schedule", version) as held:
        given = dict(changes)
        enabled = given.pop("enabled", held.row["enabled"])
        values = held.fields(given, check=bool(given.keys() & {"args", "kwargs"}))
        held.write(values, enabled=bool(enabled))
    return reads.schedule(context, schedule_id)


def set_schedule_enabled(
    context: Context,
    principal: Principal,
    schedule_id: int,
    enabled: bool,
    *,
    version: datetime | None = None,
) -> Schedule:
    """Switch one schedule on or off; those that its job has besides stay as they are.

    Raises:
        NotAllowed, NotFound: see `add_schedule`.
        Outdated: it is no longer of that version.
        Conflict: it is to be switched on and no code declares it any more.
    """
    action = "enable_schedule" if enabled else "disable_schedule"
    with _holding(context, principal, schedule_id, action, version) as held:
        held.write(held.fields({}), enabled=enabled)
    return reads.schedule(context, schedule_id)


def reset_schedule(
    context: Context, principal: Principal, schedule_id: int, *, version: datetime | None = None
) -> Schedule:
    """Let a schedule be again what the code says, and on; from then on it follows the code.

    Raises:
        NotAllowed, NotFound: see `add_schedule`.
        Outdated: it is no longer of that version.
        Conflict: no code declares it.
    """
    with _holding(context, principal, schedule_id, "reset_schedule", version) as held:
        declared = held.row["declared"]
        if held.row["origin"] != "code" or not declared:
            raise Conflict(
                f"The schedule {held.name} was made by an operator; no code says what it should be."
            )
        values = {name: declared.get(name, held.row[name]) for name in FIELDS}
        held.write(values, enabled=True)
    return reads.schedule(context, schedule_id)


def remove_schedule(
    context: Context, principal: Principal, schedule_id: int, *, version: datetime | None = None
) -> None:
    """Delete a schedule that an operator has made; what became of its slots stays in the ledger.

    Raises:
        NotAllowed, NotFound: see `add_schedule`.
        Outdated: it is no longer of that version.
        Conflict: code declares it, which would bring it back.
    """
    with _holding(context, principal, schedule_id, "remove_schedule", version) as held:
        if held.row["origin"] == "code" and not held.row["retired"]:
            raise Conflict(
                f"The schedule {held.name} is declared by the code, which would bring it back at its next"
                " start; switch it off instead."
            )
        held.remove()


@dataclass(slots=True)
class Held:
    """A schedule that is being changed, its row locked, and the audit entry of the change."""

    entry: Entry
    row: Row
    by: str

    @property
    def name(self) -> str:
        """The schedule's name."""
        return name_of(self.row["job_name"], self.row["key"])

    def fields(self, changes: Mapping[str, Any], *, check: bool = False) -> dict[str, Any]:
        """Its fields with some of them changed; the arguments are checked where that is asked for."""
        job = self.row["job_name"]
        given = {name: self.row[name] for name in FIELDS}
        if not changes:
            return given
        switch = switch_queries.switch(self.entry.connection, job) if check else None
        if check and switch is None:
            raise Conflict(f"No running code declares the job {job}, so its arguments cannot be checked.")
        told = dict(changes) if switch is None else self._with_secrets(changes, switch)
        return checked_fields(job, switch, {**given, **told})

    def _with_secrets(self, changes: Mapping[str, Any], switch: Row) -> dict[str, Any]:
        """The changes as they are meant: where a mark stands for a secret, the secret stays."""
        args, kwargs = hidden_arguments({**self.row, "signature": switch["signature"]})
        shown, told = {"args": args, "kwargs": kwargs}, dict(changes)
        for name in shown.keys() & told.keys():
            told[name] = put_back(told[name], shown[name], self.row[name])
            if has_marks(told[name]) and not has_marks(self.row[name]):
                raise BadInput(
                    f"The {name} of {self.name} have {HIDDEN} where a secret was hidden, in a place that was"
                    " changed; write the secret itself there."
                )
        return told

    def write(self, values: Mapping[str, Any], *, enabled: bool, key: str | None = None) -> Row:
        """Give it these fields and this switch."""
        if enabled and self.row["retired"]:
            raise Conflict(
                f"The schedule {self.name} is off since the code no longer declares it; make one of your own."
            )
        moved = (values["expr"], values["tz"]) != (self.row["expr"], self.row["tz"])
        if moved or (enabled and not self.row["enabled"]):
            self._settle_passed("changed" if moved else "switched on")
        wanted = {**values, "enabled": enabled, "key": key or self.row["key"]}
        changed = self.row
        if any(self.row[name] != value for name, value in wanted.items()):
            changed = queries.change(self.entry.connection, self.row["id"], wanted, by=self.by)
        self.entry.before, self.entry.after = said(self.row), said(changed)
        return changed

    def remove(self) -> None:
        """Delete it."""
        self._settle_passed("deleted")
        queries.remove(self.entry.connection, self.row["id"])
        self.entry.before = said(self.row)

    def _settle_passed(self, what: str) -> None:
        """Decide the slots up to now that no scheduler has decided: after the change none would."""
        base = self.row["checked_until"]
        if base is None:
            return
        now = audit_queries.now(self.entry.connection)
        try:
            schedule = cron_of(self.row["expr"], self.row["tz"])
            passed = settle(schedule, Policy(misfire="skip", grace_ms=0), base, now)
        except (BadSchedule, OverflowError):
            return
        disposition = "cancelled" if self.row["enabled"] else "skipped_disabled"
        reason = "the schedule is switched off"
        if self.row["enabled"]:
            reason = f"{self.by} has {what} the schedule before any scheduler had decided it"
        slots = [(s.due_at, s.reason if s.reason.startswith("stands for") else reason) for s in passed]
        if slots:
            queries.settle(self.entry.connection, self.row, disposition, slots)


def said(row: Row) -> dict[str, Any]:
    """What a schedule says, for the audit trail."""
    return {"id": row["id"], "key": row["key"], "enabled": row["enabled"]} | {
        name: row[name] for name in FIELDS
    }


def permission_for(job: str | None) -> str:
    """What it takes to change a schedule of a job."""
    return SQL_PERMISSION if job == SQL_JOB else PERMISSION


@contextmanager
def _holding(
    context: Context, principal: Principal, schedule_id: int, action: str, version: datetime | None
) -> Iterator[Held]:
    job, target = _about(context, schedule_id)
    with audited(
        context, principal, permission=permission_for(job), action=action, target=target, job=job
    ) as entry:
        row = None if job is None else queries.hold(entry.connection, schedule_id)
        if row is None:
            raise UnknownSchedule(schedule_id)
        if version is not None and as_utc(version) != row["changed_at"]:
            raise Outdated(
                f"The schedule {target} was changed meanwhile, by {row['changed_by'] or 'its code'}; look at"
                " what it says now, and try again."
            )
        yield Held(entry, row, principal.name)


def _about(context: Context, schedule_id: int) -> tuple[str | None, str]:
    """The job of a schedule, None where there is no such schedule, and its name for the audit trail."""
    with context.read() as connection:
        rows = queries.schedules(connection, schedule_id=schedule_id) if 0 < schedule_id <= MAX_ID else ()
    if not rows:
        return None, f"schedule {schedule_id}"
    return rows[0]["job_name"], name_of(rows[0]["job_name"], rows[0]["key"])


def _free_key(connection: Connection, job: str) -> str:
    audit_queries.lock(connection, f"schedules {job}")
    taken = {row["key"] for row in queries.schedules(connection, job=job)}
    number = 1
    while f"operator-{number}" in taken:
        number += 1
    return f"operator-{number}"
