"""The switch of a job, and the request to run it."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from callboard.storage.queries import Row

SWITCH = text("""
SELECT j.name, c.job_name IS NOT NULL AS configured
     , CASE WHEN c.job_name IS NULL THEN j.enabled_default ELSE c.enabled IS NOT FALSE END AS enabled
     , c.notes, j.signature, j.options, j.time_limit_ms, j.max_attempts
  FROM callboard.jobs j
  LEFT JOIN public.cron_job_config c ON c.job_name = j.name
 WHERE j.name = :job AND j.declared
""")
# Before the read, not with it: a statement that waited for a lock still reads what was there when it began.
HOLD = (
    text("SELECT FROM callboard.jobs WHERE name = :job FOR NO KEY UPDATE"),
    text("SELECT FROM public.cron_job_config WHERE job_name = :job FOR NO KEY UPDATE"),
)
ADD_SWITCH = text("""
INSERT INTO public.cron_job_config (job_name, enabled, last_modified_at, last_modified_by, notes)
VALUES (:job, :enabled, now(), :by, :notes)
""")
SET_SWITCH = text("""
UPDATE public.cron_job_config
   SET enabled = :enabled, last_modified_at = now(), last_modified_by = :by, notes = :notes
 WHERE job_name = :job
""")
REQUEST = text("""
SELECT callboard.request_run(p_job => :job, p_args => :args, p_kwargs => :kwargs, p_by => :by
     , p_trigger => :trigger, p_run_id => coalesce(:run_id, gen_random_uuid()))
""").bindparams(
    bindparam("args", type_=JSONB), bindparam("kwargs", type_=JSONB), bindparam("run_id", type_=Uuid)
)


def switch(connection: Connection, job: str, *, hold: bool = False) -> Row | None:
    """The switch and the signature of a declared job, or None; `hold` keeps others from it meanwhile."""
    for lock in HOLD if hold else ():
        connection.execute(lock, {"job": job})
    return connection.execute(SWITCH, {"job": job}).mappings().one_or_none()


def set_switch(
    connection: Connection, job: str, *, configured: bool, enabled: bool, by: UUID | None, notes: str | None
) -> None:
    """Turn the switch. `configured` says whether the job has a row in `cron_job_config` already."""
    values = {"job": job, "enabled": enabled, "by": by, "notes": notes}
    connection.execute(SET_SWITCH if configured else ADD_SWITCH, values)


def request_run(
    connection: Connection,
    job: str,
    *,
    args: list[Any],
    kwargs: dict[str, Any],
    by: str,
    trigger: str,
    run_id: UUID | None = None,
) -> UUID:
    """Note a run as pending and put its message into the outbox; returns its id, a new one if not given."""
    values = {"job": job, "args": args, "kwargs": kwargs, "by": by, "trigger": trigger, "run_id": run_id}
    made: UUID = connection.execute(REQUEST, values).scalar_one()
    return made
