"""What a schedule would do, before it does it: its coming runs, and what an edit changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from callboard.control.context import Context
from callboard.control.reads.jobs import cron_of
from callboard.control.reads.runs import check_range
from callboard.control.reads.schedules import schedule
from callboard.core.clock import utcnow
from callboard.core.cron import Cron, cron
from callboard.core.describe import describe
from callboard.core.edits import Edit, compare
from callboard.core.errors import BadSchedule
from callboard.core.moments import sensible
from callboard.core.upcoming import SHOWN, Upcoming, upcoming

#: The most runs that may be asked for.
MAX_RUNS = 1_000


@dataclass(frozen=True, slots=True)
class Preview:
    """A schedule in words, and its first runs after `start`."""

    expr: str
    tz: str
    words: str
    start: datetime
    runs: tuple[Upcoming, ...]


@dataclass(frozen=True, slots=True)
class EditPreview:
    """What a schedule would do instead of what it does."""

    before: Preview
    after: Preview
    edit: Edit


def preview(
    expr: str, tz: str | None = None, *, start: datetime | None = None, count: int = SHOWN
) -> Preview:
    """The first runs of an expression in a time zone, after a moment (default: now).

    Raises:
        BadSchedule: the expression or the zone makes no sense.
        BadInput: the count is not 1 to 1000, or the moment has no time zone.
    """
    check_range("count", count, MAX_RUNS)
    plan = cron(expr, tz)
    at = utcnow() if start is None else sensible(start)
    return Preview(plan.expr, plan.tz, describe(plan.expr, plan.tz), at, upcoming(plan, at, count))


def preview_edit(
    context: Context,
    schedule_id: int,
    *,
    expr: str | None = None,
    tz: str | None = None,
    enabled: bool | None = None,
    start: datetime | None = None,
    count: int = SHOWN,
) -> EditPreview:
    """What it would change to give a schedule another expression, zone or switch; None leaves it.

    Raises:
        NotFound: there is no such schedule.
        BadSchedule, BadInput: see `preview`.
    """
    found = schedule(context, schedule_id)
    on = found.enabled if enabled is None else enabled
    at = utcnow() if start is None else sensible(start)
    before = preview(found.expr, found.tz, start=at, count=count)
    after = preview(expr or found.expr, tz or found.tz, start=at, count=count)
    edit = compare(
        [cron_of(before.expr, before.tz)] if found.enabled else [],
        [cron_of(after.expr, after.tz)] if on else [],
        at,
    )
    return EditPreview(before, after, edit)


def compare_plans(
    before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]], start: datetime
) -> Edit:
    """What becomes of the slots when some schedules, expression and zone each, take the place of others."""
    return compare(_readable(before), _readable(after), start)


def _readable(plans: Sequence[tuple[str, str]]) -> list[Cron]:
    """Those that make sense: what is in the table may be older than what is refused today."""
    found = []
    for expr, tz in plans:
        try:
            found.append(cron_of(expr, tz))
        except BadSchedule:
            continue
    return found
