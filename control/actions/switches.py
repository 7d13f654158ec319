"""Switch a job off or on."""

from dataclasses import dataclass

from callboard.control.audit import audited
from callboard.control.context import Context
from callboard.control.principal import Principal
from callboard.control.reads.names import UnknownJob
from callboard.core.limits import storable
from callboard.storage.queries import jobs as job_queries
from callboard.storage.queries import switches as queries


@dataclass(frozen=True, slots=True)
class Switched:
    """How a job's switch stands now, and whether it stood otherwise before."""

    job: str
    enabled: bool
    changed: bool


def set_enabled(
    context: Context, principal: Principal, job: str, enabled: bool, *, notes: str | None = None
) -> Switched:
    """Switch a job on or off; the running fleet obeys within two seconds. Runs under way are not touched.

    `notes` replace the job's notes where given.

    Raises:
        NotAllowed: the role does not include `jobs:toggle`.
        NotFound: no job has that name.
    """
    action = "enable_job" if enabled else "disable_job"
    with audited(context, principal, permission="jobs:toggle", action=action, target=job, job=job) as entry:
        row = queries.switch(entry.connection, storable(job), hold=True)
        if row is None:
            raise UnknownJob(job, job_queries.names(entry.connection))
        queries.set_switch(
            entry.connection,
            job,
            configured=row["configured"],
            enabled=enabled,
            by=principal.user_id,
            notes=row["notes"] if notes is None else notes,
        )
        entry.before = {"enabled": row["enabled"], "notes": row["notes"]}
        entry.after = {"enabled": enabled, "notes": row["notes"] if notes is None else notes}
    return Switched(job=job, enabled=enabled, changed=row["enabled"] is not enabled)
