"""Fire all schedules that have one cron expression, now: what a platform's scheduled event would do."""

from dataclasses import dataclass
from uuid import UUID

from callboard.control.actions.run_job import Requested, run_job
from callboard.control.context import Context
from callboard.control.principal import Principal
from callboard.control.reads.schedules import Schedule, schedules
from callboard.core.cron import cron
from callboard.core.errors import NotFound
from callboard.storage.queries import schedules as queries


@dataclass(frozen=True, slots=True)
class Fired:
    """What became of one schedule: its run, or why it has none."""

    job: str
    schedule: str
    run_id: UUID | None
    state: str
    reason: str | None = None


def fire(context: Context, principal: Principal, expr: str) -> tuple[Fired, ...]:
    """Ask for a run of each schedule of that expression, with its arguments, by name.

    One that is switched off, or whose job is, is left out and says so. Their slots stay what they are.

    Raises:
        BadSchedule: it is no cron expression.
        NotFound: no schedule has it.
        NotAllowed: the role does not include `jobs:run`.
    """
    wanted = cron(expr).expr
    there = [each for each in schedules(context) if not each.retired]
    found = [each for each in there if each.expr == wanted]
    if not found:
        known = ", ".join(f'"{each}"' for each in sorted({each.expr for each in there})) or "none"
        raise NotFound(f'No schedule has the expression "{wanted}"; there are {known}.')
    return tuple(_fire(context, principal, each) for each in found)


def _fire(context: Context, principal: Principal, schedule: Schedule) -> Fired:
    why = _why_not(schedule)
    if why is not None:
        return Fired(schedule.job, schedule.name, None, "left out", why)
    with context.read() as connection:
        rows = queries.schedules(connection, schedule_id=schedule.id)
    if not rows:
        return Fired(schedule.job, schedule.name, None, "left out", "it has just been deleted")
    # What is read to be shown is without secrets; the run is given them.
    args, kwargs = rows[0]["args"], rows[0]["kwargs"]
    asked: Requested = run_job(context, principal, schedule.job, args=args, kwargs=kwargs)
    return Fired(schedule.job, schedule.name, asked.run_id, asked.state)


def _why_not(schedule: Schedule) -> str | None:
    if not schedule.job_declared:
        return "no running code declares its job"
    if not schedule.job_enabled:
        return "its job is switched off"
    return None if schedule.enabled else "it is switched off"
