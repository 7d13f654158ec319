"""What the pages show, as tables to take along: CSV that a spreadsheet shows and does not execute.

Each has all that is known of a row, and the latest 5,000 rows at most.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Final, TypeVar

from callboard.control import audit, auth
from callboard.control.audit import Audited
from callboard.control.context import Context
from callboard.control.principal import Principal
from callboard.control.reads import (
    alerts,
    fleet,
    jobs,
    ledger,
    letters,
    queues,
    schedules,
)
from callboard.control.reads.runs import MAX_HISTORY, Run, history
from callboard.core.sheets import records

#: The most rows of a table, and so many are read at once.
MOST: Final = 5_000
PAGE: Final = 500

Row = TypeVar("Row")
Page = tuple[Sequence[Row], str | None]


def jobs_sheet(context: Context, names: Collection[str], *, days: int) -> str:
    """Those jobs, with their figures of so many days."""
    return records(jobs.Job, (job for job in jobs.jobs(context, days=days) if job.name in names))


def executions_sheet(context: Context, job: str, *, days: int) -> str:
    """The latest 1,000 runs of a job that have begun."""
    return records(Run, history(context, job, days=days, limit=MAX_HISTORY))


def slots_sheet(context: Context, wanted: ledger.Wanted) -> str:
    """What became of slots, the latest first."""
    return records(
        ledger.Occurrence, _all(lambda after: ledger.page(context, wanted, limit=PAGE, cursor=after))
    )


def schedules_sheet(context: Context, ids: Collection[int]) -> str:
    """Those schedules."""
    return records(schedules.Schedule, (each for each in schedules.schedules(context) if each.id in ids))


def letters_sheet(context: Context, wanted: letters.Wanted) -> str:
    """Dead letters one by one, the latest sent first."""
    return records(
        letters.Letter, _all(lambda after: letters.letters(context, wanted, limit=PAGE, cursor=after))
    )


def alerts_sheet(context: Context, kind: str | None) -> str:
    """Alerts, open ones and others, the latest first."""
    return records(
        alerts.Alert,
        _all(lambda after: alerts.alerts(context, open_only=False, kind=kind, limit=PAGE, cursor=after)),
    )


def audit_sheet(context: Context, principal: Principal, target: str | None) -> str:
    """Who did what, the latest first.

    Raises:
        NotAllowed: the principal's role does not include `audit:view`.
    """
    return records(
        Audited, _all(lambda after: audit.page(context, principal, limit=PAGE, cursor=after, target=target))
    )


def fleet_sheet(context: Context) -> str:
    """The processes that there are."""
    return records(fleet.Process, fleet.fleet(context).processes)


def queues_sheet(context: Context) -> str:
    """The queues, with how many messages each has."""
    return records(queues.Queue, queues.queues(context))


def users_sheet(context: Context, principal: Principal) -> str:
    """Who may sign in.

    Raises:
        NotAllowed: the principal's role does not include `users:manage`.
    """
    return records(auth.User, auth.users(context, principal))


def tokens_sheet(context: Context, principal: Principal) -> str:
    """The tokens, without themselves.

    Raises:
        NotAllowed: the principal's role does not include `tokens:manage`.
    """
    return records(auth.Token, auth.tokens(context, principal))


def _all(read: Callable[[str | None], Page[Row]]) -> list[Row]:
    """The rows of all pages, the first 5,000 of them; `read` takes the cursor of a page."""
    found: list[Row] = []
    cursor: str | None = None
    while len(found) < MOST:
        rows, cursor = read(cursor)
        found += rows
        if cursor is None:
            break
    return found[:MOST]
