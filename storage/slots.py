"""Claiming slots: the one statement that decides, for all schedulers, what becomes of a due time.

A scheduler proposes: this schedule, as I know it, decided up to `base`, has these slots up to `until`, and
this is to become of each. The statement takes a proposal only if the schedule is still what the scheduler
knew (`version`) and nobody else has decided any of its time since (`base`). So a proposal, a policy's whole
catch-up included, is taken as a whole or not at all, however many schedulers propose. The switch is read in
the same statement: pausing races the tick to one outcome. Rows that someone else holds are passed by, not
waited for. The unique key of the occurrences stands behind all this: not even a clock that went back fires
a slot twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

#: How far ahead of the database's clock a slot may be claimed: claims from a host whose clock has just jumped
#: are refused until the jump has been measured.
AHEAD_MS = 2_000

#: What must not have changed between proposing and claiming.
_VERSION = """hashtextextended(concat_ws(E'\\x1f', s.expr, s.tz, s.args::text, s.kwargs::text, s.misfire
     , s.misfire_limit, s.grace_ms, j.queue), 0)"""

_OFF = """CASE WHEN NOT coalesce(j.declared, false) THEN 'no running code declares the job'
            WHEN NOT coalesce(c.enabled, c.job_name IS NOT NULL OR j.enabled_default)
            THEN 'the job is switched off'
            WHEN NOT s.enabled THEN 'the schedule is switched off' END"""

_LOAD = text(f"""
SELECT s.id, s.job_name, coalesce(j.queue, 'default') AS queue, s.expr, s.tz, s.args, s.kwargs
     , s.misfire, s.misfire_limit, s.grace_ms, s.checked_until, {_VERSION} AS version, {_OFF} AS off
  FROM callboard.schedules s
  LEFT JOIN callboard.jobs j ON j.name = s.job_name
  LEFT JOIN public.cron_job_config c ON c.job_name = s.job_name
 WHERE cast(:ids AS bigint[]) IS NULL OR s.id = ANY(cast(:ids AS bigint[]))
 ORDER BY s.id
""")

_CLAIM = text(f"""
WITH proposal AS MATERIALIZED (
     SELECT *
       FROM unnest(cast(:ids AS bigint[]), cast(:bases AS timestamptz[]), cast(:untils AS timestamptz[])
          , cast(:versions AS bigint[])) AS p (schedule_id, base, until, version)
   ), taken AS MATERIALIZED (
     SELECT s.id, s.job_name, p.until, {_OFF} AS off, coalesce(j.queue, 'default') AS queue
       FROM proposal p
       JOIN callboard.schedules s ON s.id = p.schedule_id
       LEFT JOIN callboard.jobs j ON j.name = s.job_name
       LEFT JOIN public.cron_job_config c ON c.job_name = s.job_name
      WHERE s.checked_until = p.base
        AND {_VERSION} = p.version
        AND p.until <= clock_timestamp() + :ahead_ms * interval '1 millisecond'
        FOR NO KEY UPDATE OF s SKIP LOCKED
   ), moved AS (
     UPDATE callboard.schedules s
        SET checked_until = greatest(s.checked_until, t.until)
       FROM taken t
      WHERE s.id = t.id
     RETURNING s.id
   ), slot AS MATERIALIZED (
     SELECT *
       FROM unnest(cast(:slot_ids AS bigint[]), cast(:due_ats AS timestamptz[]), cast(:dispositions AS text[])
          , cast(:reasons AS text[]), cast(:run_ids AS uuid[]), cast(:messages AS jsonb[]))
            AS q (schedule_id, due_at, disposition, reason, run_id, message)
   ), decided AS (
     INSERT INTO callboard.occurrences (schedule_id, due_at, job_name, disposition, reason, run_id)
     SELECT q.schedule_id, q.due_at, t.job_name
          , CASE WHEN t.off IS NULL THEN q.disposition ELSE 'skipped_disabled' END
          , coalesce(t.off, q.reason)
          , CASE WHEN t.off IS NULL THEN q.run_id END
       FROM slot q
       JOIN taken t ON t.id = q.schedule_id
         ON CONFLICT (schedule_id, due_at) DO NOTHING
     RETURNING run_id
   ), posted AS (
     INSERT INTO callboard.outbox (run_id, job_name, queue, message)
     SELECT q.run_id, t.job_name, t.queue, q.message
       FROM decided d
       JOIN slot q ON q.run_id = d.run_id
       JOIN taken t ON t.id = q.schedule_id
         ON CONFLICT (run_id) DO NOTHING
     RETURNING run_id
   )
SELECT coalesce((SELECT array_agg(id) FROM moved), '{{}}') AS schedule_ids
     , coalesce((SELECT array_agg(run_id) FROM posted), '{{}}') AS run_ids
""")


class ScheduleRow(NamedTuple):
    """One schedule as the database has it."""

    id: int
    job_name: str
    queue: str
    expr: str
    tz: str
    args: list[Any]
    kwargs: dict[str, Any]
    misfire: str
    misfire_limit: int
    grace_ms: int
    checked_until: datetime
    #: Stands for everything above that a claim depends on, `checked_until` excepted.
    version: int
    #: Why its slots are not fired at present, or None.
    off: str | None


@dataclass(slots=True)
class Proposal:
    """What is to become of the slots of some schedules, in the form in which the statement takes it."""

    ids: list[int] = field(default_factory=list)
    bases: list[datetime] = field(default_factory=list)
    untils: list[datetime] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)
    slot_ids: list[int] = field(default_factory=list)
    due_ats: list[datetime] = field(default_factory=list)
    dispositions: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    run_ids: list[UUID | None] = field(default_factory=list)
    #: JSON of the Dramatiq message of each slot that is to run.
    messages: list[str | None] = field(default_factory=list)

    def add_schedule(self, schedule_id: int, base: datetime, until: datetime, version: int) -> None:
        """Propose that the time of a schedule, after `base` and up to `until`, be decided."""
        self.ids.append(schedule_id)
        self.bases.append(base)
        self.untils.append(until)
        self.versions.append(version)

    def add_slot(
        self,
        schedule_id: int,
        due_at: datetime,
        disposition: str,
        reason: str,
        run_id: UUID | None = None,
        message: str | None = None,
    ) -> None:
        """Propose what becomes of one slot of a schedule added before."""
        self.slot_ids.append(schedule_id)
        self.due_ats.append(due_at)
        self.dispositions.append(disposition)
        self.reasons.append(reason)
        self.run_ids.append(run_id)
        self.messages.append(message)


class Claimed(NamedTuple):
    """What a claim has achieved."""

    #: The schedules whose proposal was taken.
    schedule_ids: set[int]
    #: The runs that were put into the outbox.
    run_ids: set[UUID]


def load_schedules(connection: Connection, ids: Sequence[int] | None = None) -> list[ScheduleRow]:
    """All schedules, or those of the given ids that exist."""
    rows = connection.execute(_LOAD, {"ids": None if ids is None else list(ids)})
    return [ScheduleRow(*row) for row in rows]


def claim_slots(connection: Connection, proposal: Proposal) -> Claimed:
    """Claim the slots proposed: occurrences, outbox rows and `checked_until`, in one statement.

    What was not claimed belongs to another scheduler, or has changed: load those schedules again.
    """
    values = {name: getattr(proposal, name) for name in Proposal.__slots__}
    schedule_ids, run_ids = connection.execute(_CLAIM, {**values, "ahead_ms": AHEAD_MS}).one()
    return Claimed(set(schedule_ids), set(run_ids))
