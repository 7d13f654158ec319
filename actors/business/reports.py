"""Reports for those who want to know how the business does."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dramatiq
import structlog

from callboard import cron, current_run, progress
from callboard.actors.database import engine
from callboard.core.clock import utcnow
from callboard.core.settings import load_settings
from callboard.storage.business.reports import daily_figures, keep_report, last_report, tell

#: The most days that are made good.
MOST_MISSED = 30

log = structlog.get_logger(__name__)


@dramatiq.actor(
    actor_name="generate-daily-reports",
    description="Add up the day before, and tell the stakeholders",
    category="reports",
    periodic=cron("0 2 * * *"),
    time_limit=1_800_000,
    max_retries=2,
    backoff="linear",
    mutex=True,
)
def generate_daily_reports(day: str | None = None, dry_run: bool = False) -> dict[str, Any]:
    """Store the report of a day (`2026-11-25`, UTC; by default the one before the run was due).

    By default also of the days before it, up to a month, that have none since the last report: nothing was at
    work then. An e-mail to each address of the setting REPORT_RECIPIENTS is queued with each, once for a day.
    """
    days = _days_due() if day is None else [_read(day)]
    changed, told = False, 0
    for number, each in enumerate(days, 1):
        figures, is_new, emails = _report(each, dry_run=dry_run)
        changed, told = changed or is_new, told + emails
        progress(number, len(days), "reports")
    result = {"processed": len(days), "failed": 0, "day": str(each), "changed": changed, "emails": told}
    return {**result, "dry_run": True, "report": figures} if dry_run else result


def _report(day: date, *, dry_run: bool) -> tuple[dict[str, Any], bool, int]:
    """A day's figures, whether they are new, and how many are told."""
    recipients = load_settings().recipients
    with engine().connect() as connection, connection.begin() as transaction:
        figures = daily_figures(connection, day)
        changed = keep_report(connection, day, figures)
        told = tell(
            connection, f"report:daily:{day}", recipients, f"Daily report of {day}", _words(day, figures)
        )
        if dry_run:
            transaction.rollback()
    log.bind(task="generateDailyReports", day=str(day)).info(
        "The report is made.", changed=changed, emails=told
    )
    return figures, changed, told


def _days_due() -> list[date]:
    until = _day_before()
    with engine().connect() as connection:
        last = last_report(connection, until)
    missed = 0 if last is None else min((until - last).days - 1, MOST_MISSED)
    return [until - timedelta(days=ago) for ago in range(missed, -1, -1)]


def _day_before() -> date:
    run = current_run()
    due = run.due_at_ms if run is not None else None
    at = utcnow() if due is None else datetime.fromtimestamp(due / 1000, UTC)
    return at.astimezone(UTC).date() - timedelta(days=1)


def _read(day: str) -> date:
    try:
        return date.fromisoformat(day)
    except ValueError:
        raise ValueError(f"day is {day[:40]!r}; write it as 2026-11-25.") from None


def _words(day: date, figures: Mapping[str, Any]) -> str:
    jobs, chances, sent = figures["jobs"], figures["opportunities"], figures["messages"]
    points, portal, solves = figures["points"], figures["portal"], figures["solves"]
    return "\n".join(
        [
            f"What {day:%A}, {day}, has brought (UTC):",
            "",
            f"- Customers: {figures['customers']['new']:,} new",
            f"- Jobs: {jobs['completed']:,} completed, worth {jobs['amount_cents'] / 100:,.2f}",
            f"- Opportunities: {chances['new']:,} new, {chances['won']:,} won, {chances['lost']:,} lost",
            f"- Messages: {sent['sent']:,} sent, {sent['failed']:,} failed",
            f"- Points: {points['gained']:,} gained, {points['spent']:,} spent",
            f"- Portal: {portal['events']:,} events of {portal['customers']:,} customers",
            f"- Challenges: {solves['count']:,} solved, for {solves['points']:,} points",
            "",
        ]
    )
