"""Registers the jobs that code declares, in the tables that the rest of the system reads.

What an operator has changed outlives a deploy: a switch stays as it was set, and so does a schedule that
is no longer as it was declared. What nobody has changed follows the code. A job that its source no
longer declares keeps its history; it is marked, and its schedules are retired until it comes back.
"""

from collections.abc import Sequence
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from callboard.core.errors import BadInput
from callboard.storage.tables.base import JOB_NAME_LENGTH

Job = dict[str, Any]

# Registrations wait for each other.
_BEGIN = "SELECT pg_advisory_xact_lock(hashtextextended('callboard.register_jobs', 0))"

_LISTED = """
listed AS (
    SELECT * FROM jsonb_to_recordset(%(jobs)s) AS listed (
        name text, queue text, description text, category text, enabled boolean, options jsonb,
        time_limit_ms bigint, max_attempts integer, signature jsonb)
)
"""

# A switch that stands as the code had it before follows the code's new default.
_SWITCHES_FOLLOW = f"""
WITH {_LISTED}
UPDATE public.cron_job_config c
   SET enabled = listed.enabled
  FROM listed JOIN callboard.jobs j ON j.name = listed.name
 WHERE c.job_name = listed.name
   AND c.enabled = j.enabled_default
   AND j.enabled_default <> listed.enabled
"""

_JOBS = f"""
WITH {_LISTED}
INSERT INTO callboard.jobs AS j (
    name, queue, description, category, source, declared, enabled_default, options, time_limit_ms,
    max_attempts, signature
)
SELECT name, queue, description, category, %(source)s, true, enabled, options, time_limit_ms,
       max_attempts, signature
  FROM listed
 ORDER BY name
ON CONFLICT (name) DO UPDATE
   SET queue = excluded.queue, description = excluded.description, category = excluded.category,
       source = excluded.source, declared = true, enabled_default = excluded.enabled_default,
       options = excluded.options, time_limit_ms = excluded.time_limit_ms,
       max_attempts = excluded.max_attempts, signature = excluded.signature, last_seen_at = now()
"""

_SWITCHES = f"""
WITH {_LISTED}
INSERT INTO public.cron_job_config (job_name, enabled)
SELECT name, enabled FROM listed ORDER BY name
ON CONFLICT (job_name) DO NOTHING
"""

_DECLARATIONS = """
declaration AS (
    SELECT listed.*, to_jsonb(listed) - ARRAY['job_name', 'key'] AS declared
      FROM jsonb_to_recordset(%(schedules)s) AS listed (
           job_name text, key text, expr text, tz text, args jsonb, kwargs jsonb, misfire text,
           misfire_limit integer, grace_ms integer)
)
"""

# A schedule that nobody has touched is still the declared one, and follows all that the code says.
_FOLLOW = f"""
WITH {_DECLARATIONS}
UPDATE callboard.schedules s
   SET expr = listed.expr, tz = listed.tz, args = listed.args, kwargs = listed.kwargs,
       misfire = listed.misfire, misfire_limit = listed.misfire_limit, grace_ms = listed.grace_ms,
       changed_by = NULL
  FROM declaration AS listed
 WHERE s.job_name = listed.job_name AND s.key = listed.key
   AND s.declared = jsonb_build_object(
       'expr', s.expr, 'tz', s.tz, 'args', s.args, 'kwargs', s.kwargs, 'misfire', s.misfire,
       'misfire_limit', s.misfire_limit, 'grace_ms', s.grace_ms)
   AND (s.expr, s.tz, s.args, s.kwargs, s.misfire, s.misfire_limit, s.grace_ms)
       IS DISTINCT FROM (listed.expr, listed.tz, listed.args, listed.kwargs, listed.misfire,
                         listed.misfire_limit, listed.grace_ms)
"""

_SCHEDULES = f"""
WITH {_DECLARATIONS}
INSERT INTO callboard.schedules AS s (
    job_name, key, expr, tz, args, kwargs, declared, origin, misfire, misfire_limit, grace_ms
)
SELECT job_name, key, expr, tz, args, kwargs, declared, 'code', misfire, misfire_limit, grace_ms
  FROM declaration
 ORDER BY job_name, key
ON CONFLICT (job_name, key) DO UPDATE
   SET declared = excluded.declared, origin = 'code', enabled = s.enabled OR s.retired, retired = false,
       changed_by = CASE WHEN s.retired THEN NULL ELSE s.changed_by END
 WHERE s.declared IS DISTINCT FROM excluded.declared OR s.retired
"""

# Who does not say where its jobs come from speaks for those alone that it lists: there may be others like it.
_UNDECLARE = """
UPDATE callboard.jobs SET declared = false
 WHERE source = %(source)s AND source <> '' AND declared AND name <> ALL (CAST(%(names)s AS text[]))
"""

_RETIRE = """
UPDATE callboard.schedules s
   SET enabled = false, retired = true, changed_by = NULL
  FROM callboard.jobs j
 WHERE j.name = s.job_name AND j.source = %(source)s
   AND (j.source <> '' OR j.name = ANY (CAST(%(names)s AS text[])))
   AND s.origin = 'code' AND s.enabled
   AND NOT EXISTS (
       SELECT FROM jsonb_to_recordset(%(schedules)s) AS listed (job_name text, key text)
        WHERE listed.job_name = s.job_name AND listed.key = s.key)
"""


def register_jobs(connection: Connection[Any], source: str, jobs: Sequence[Job]) -> None:
    """Note that `source` declares exactly these jobs, or "" at least these, in the caller's transaction.

    A job: `name`, `queue`, `description`, `category`, `enabled`, `options`, `time_limit_ms`,
    `max_attempts`, `signature`, and `schedules`, each with `key`, `expr`, `tz`, `args`, `kwargs`,
    `misfire`, `misfire_limit` and `grace_ms`. All but `name`, `key` and `expr` may be left out.

    Raises:
        BadInput: a name is too long, or is there twice.
    """
    names = [str(job["name"]) for job in jobs]
    _check(names)
    rows = [_row(job) for job in jobs]
    schedules = [_schedule(job["name"], schedule) for job in jobs for schedule in job.get("schedules") or ()]
    values = {"source": source, "names": names, "jobs": Jsonb(rows), "schedules": Jsonb(schedules)}
    connection.execute(_BEGIN)
    for statement in (_SWITCHES_FOLLOW, _JOBS, _SWITCHES, _UNDECLARE, _FOLLOW, _SCHEDULES, _RETIRE):
        connection.execute(statement, values)


def _check(names: Sequence[str]) -> None:
    for name in names:
        if len(name) > JOB_NAME_LENGTH:
            raise BadInput(
                f"The actor name {name[:20]}... has {len(name)} characters; shorten it to {JOB_NAME_LENGTH}."
            )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInput(f"The job {twice[0]} is declared twice; give one of the two another actor name.")


def _row(job: Job) -> Job:
    return {
        "name": job["name"],
        "queue": job.get("queue") or "default",
        "description": job.get("description"),
        "category": job.get("category"),
        "enabled": job.get("enabled", True) is not False,
        "options": job.get("options") or {},
        "time_limit_ms": job.get("time_limit_ms"),
        "max_attempts": job.get("max_attempts"),
        "signature": job.get("signature") or [],
    }


def _schedule(job_name: str, schedule: Job) -> Job:
    return {
        "job_name": job_name,
        "key": schedule["key"],
        "expr": schedule["expr"],
        "tz": schedule.get("tz") or "UTC",
        "args": schedule.get("args") or [],
        "kwargs": schedule.get("kwargs") or {},
        "misfire": schedule.get("misfire") or "run_once",
        "misfire_limit": 100 if schedule.get("misfire_limit") is None else schedule["misfire_limit"],
        "grace_ms": 60_000 if schedule.get("grace_ms") is None else schedule["grace_ms"],
    }
