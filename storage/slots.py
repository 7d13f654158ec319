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
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

#: How far ahead of the database's clock a slot may be claimed: claims from a host whose clock has just jumped
#: are refused until the jump has been measured.
AHEAD_MS = 2_000

#: A claim that is held open and not committed is undone by the database after so long: its scheduler hangs.
HELD_MS = 2_000

#: What must not have changed between proposing and claiming.
_VERSION = """hashtextextended(concat_ws(E'\\x1f', s.expr, s.tz, s.args::text, s.kwargs::text, s.misfire
     , s.misfire_limit, s.grace_ms, j.queue), 0)"""

_OFF = """CASE WHEN NOT coalesce(j.declared, false) THEN 'no running code declares the job'
            WHEN NOT coalesce(c.enabled, c.job_name IS NOT NULL OR j.enabled_default)
            THEN 'the job is switched off'
            WHEN NOT s.enabled THEN 'the schedule is switched off' END"""

_LOAD = text(f"""
SELECT s.id, s.job_name, coalesce(j.queue, 'default') AS queue, s.expr, s.tz, s.args, s.kwargs
     , s.misfire, s.misfire_limit, s.grace_ms, s.checked_until, {_VERSION} AS version, {_OFF} AS off, s.key
  FROM callboard.schedules s
  LEFT JOIN callboard.jobs j ON j.name = s.job_name
  LEFT JOIN public.cron_job_config c ON c.job_name = s.job_name
 WHERE (cast(:ids AS bigint[]) IS NULL OR s.id = ANY(cast(:ids AS bigint[])))
   AND isfinite(s.checked_until)
 ORDER BY s.id
""")

# The CASE in it keeps the planner from expecting next to nothing of the comparisons, and from looping.
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
      WHERE CASE WHEN s.checked_until = p.base AND {_VERSION} = p.version
                  AND p.until <= clock_timestamp() + :ahead_ms * interval '1 millisecond'
                 THEN true ELSE false END
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
     INSERT INTO callboard.occurrences (schedule_id, due_at, job_name, disposition, reason, run_id
          , decided_at)
     SELECT q.schedule_id, q.due_at, t.job_name
          , CASE WHEN t.off IS NULL THEN q.disposition ELSE 'skipped_disabled' END
          , coalesce(t.off, q.reason)
          , CASE WHEN t.off IS NULL THEN q.run_id END
          , greatest(clock_timestamp(), q.due_at)
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

_HOLD = text(f"SET LOCAL idle_in_transaction_session_timeout = {HELD_MS}")


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
    #: What it is called within its job.
    key: str = ""


class Proposal:
    """What is to become of the slots of some schedules, written down as the database reads it.

    Rendering thousands of values takes longer than claiming them: done here, it is done ahead of the instant.
    """

    def __init__(self) -> None:
        self._schedules: list[tuple[str, str, str, str]] = []
        self._slots: list[tuple[str, str, str, str, str, str]] = []
        self._values: dict[str, str] | None = None

    def __len__(self) -> int:
        """How many slots there are."""
        return len(self._slots)

    def add_schedule(self, schedule_id: int, base: datetime, until: datetime, version: int) -> None:
        """Propose that the time of a schedule, after `base` and up to `until`, be decided."""
        self._schedules.append((str(schedule_id), _moment(base), _moment(until), str(version)))
        self._values = None

    def add_slot(
        self,
        schedule_id: int,
        due_at: datetime,
        disposition: str,
        reason: str,
        run_id: UUID | None = None,
        message: str | None = None,
    ) -> None:
        """Propose what becomes of one slot of a schedule added before.

        Parameters:
            run_id, message: of the run that it leads to, if any; the message as JSON.
        """
        self._slots.append(
            (
                str(schedule_id),
                _moment(due_at),
                disposition,
                _quoted(reason),
                "NULL" if run_id is None else str(run_id),
                "NULL" if message is None else _quoted(message),
            )
        )
        self._values = None

    def values(self) -> dict[str, str]:
        """The parameters of the claim: arrays, as PostgreSQL writes them."""
        if self._values is None:
            columns = [*(zip(*self._schedules, strict=True) if self._schedules else [()] * 4)]
            columns += zip(*self._slots, strict=True) if self._slots else [()] * 6
            self._values = {
                name: "{" + ",".join(column) + "}" for name, column in zip(_NAMES, columns, strict=True)
            }
        return self._values


_NAMES = (
    *("ids", "bases", "untils", "versions"),
    *("slot_ids", "due_ats", "dispositions", "reasons", "run_ids", "messages"),
)


def _moment(moment: datetime) -> str:
    return f'"{moment.isoformat()}"'


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


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
    values = {**proposal.values(), "ahead_ms": AHEAD_MS}
    schedule_ids, run_ids = connection.execute(_CLAIM, values).one()
    return Claimed(set(schedule_ids), set(run_ids))


class HeldClaim:
    """A claim that is made, and holds once it is committed: all the work is done when the instant comes.

    Until then the schedules are locked. Should this process hang, the database undoes the claim after
    `HELD_MS`, and other schedulers take over.
    """

    def __init__(self, engine: Engine, proposal: Proposal) -> None:
        self._connection = engine.connect()
        try:
            self._connection.execute(_HOLD)
            self.claimed = claim_slots(self._connection, proposal)
        except BaseException:
            self.undo()
            raise

    def commit(self) -> Claimed:
        """Make it hold. Whether it does is unknown if this raises: load its schedules again.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database does not answer, or has undone the claim.
        """
        try:
            self._connection.commit()
        except BaseException:
            self.undo()
            raise
        self._connection.close()
        return self.claimed

    def undo(self) -> None:
        """Undo it. Where the database does not answer, it does so by itself."""
        try:
            self._connection.close()
        except SQLAlchemyError:
            self._connection.invalidate()
