"""Alerts for what is out of the ordinary, and for schedules that will get in each other's way.

The scheduler's process does it, in a thread beside its own; an alert is one row whoever finds the reason.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from callboard.control.context import Context
from callboard.control.reads.anomalies import anomalies
from callboard.control.reads.collisions import PoolWeek, collisions
from callboard.core.anomalies import Finding
from callboard.core.clock import utcnow
from callboard.core.display import listed, many
from callboard.core.errors import Unavailable
from callboard.scheduler.courier import Duty
from callboard.storage.alerts import NewAlert, may_judge, settle_alerts

ANOMALY: Final = "anomaly"
COLLISION: Final = "schedule_collision"
#: Seconds between two looks.
EVERY = 60.0
#: What each kind of finding is called in an alert. A run that took long is over: it is listed, not told.
TOLD: Final = {
    "missed": "Slots missed",
    "running_long": "Running long",
    "suspicious_success": "Suspicious success",
    "too_often": "Too often",
}
#: For how long a run that has ended is worth an alert.
FRESH = timedelta(hours=1)
#: Slots missed of more jobs than these have one cause, and one alert under this subject.
TOGETHER = 3
SCHEDULES: Final = "schedules"
#: How far ahead collisions are told.
AHEAD = timedelta(hours=24)


class Watch:
    """Looks, and opens and closes alerts accordingly."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def judge(self) -> None:
        """Open alerts for what is found now, and close those of what no longer is."""
        now, tells = utcnow(), self._context.settings.cron_enable_alert_notifications
        try:
            found = {
                ANOMALY: anomaly_alerts(anomalies(self._context), now),
                COLLISION: collision_alerts(collisions(self._context), now),
            }
        except Unavailable:
            # The scheduler's own duties notice and say so.
            return
        with self._context.writer.begin() as connection:
            if not may_judge(connection, "anomalies"):
                return
            for kind, alerts in found.items():
                settle_alerts(connection, kind, alerts, opening=tells)


def watch_duties(context: Context) -> list[Duty]:
    """What a scheduler's process has to do for it; nothing where the settings have it switched off."""
    if not context.settings.cron_enable_performance_monitoring:
        return []
    return [Duty("anomalies", Watch(context).judge, EVERY)]


def anomaly_alerts(found: Iterable[Finding], now: datetime) -> list[NewAlert]:
    """One alert a job, whatever is found of it; slots that many jobs miss are one alert."""
    told = [
        each
        for each in found
        if each.kind in TOLD and (each.kind != "suspicious_success" or now - each.since <= FRESH)
    ]
    missing = {each.job for each in told if each.kind == "missed"}
    by_subject: dict[str, list[Finding]] = defaultdict(list)
    for each in told:
        alike = each.kind == "missed" and len(missing) > TOGETHER
        by_subject[SCHEDULES if alike else each.job].append(each)
    return [_anomaly(subject, findings) for subject, findings in by_subject.items()]


def collision_alerts(weeks: Iterable[PoolWeek], now: datetime) -> list[NewAlert]:
    """One alert for queues that share workers, where more runs will want a thread than there are."""
    alerts = []
    for week in weeks:
        soon = [each for each in week.collisions if now <= each.at <= now + AHEAD] if week.threads else []
        if not soon:
            continue
        worst, queues = soon[0], ", ".join(week.queues)
        others = f" {many(len(soon) - 1, 'more collision')} within a day." if len(soon) > 1 else ""
        details = {"at": worst.at.isoformat(), "demand": worst.demand, "threads": worst.slots}
        text = f"{worst.at:%a %d %b %H:%M} (UTC): {worst.evidence}{others}"
        alerts.append(NewAlert(queues[:200], text, worst.severity, details))
    return alerts


def _anomaly(subject: str, findings: Sequence[Finding]) -> NewAlert:
    first = findings[0]
    severity = "critical" if any(each.severity == "critical" for each in findings) else "warning"
    others = f" {many(len(findings) - 1, 'more finding')}." if len(findings) > 1 else ""
    if subject == SCHEDULES:
        jobs = sorted({each.job for each in findings})
        text = f"Slots of {many(len(jobs), 'job')} have become nothing: {listed(jobs, 3)}. {first.evidence}"
    else:
        text = f"{TOLD[first.kind]}: {first.evidence}{others}"
    details = {"found": sorted({each.kind for each in findings})}
    return NewAlert(subject, text, severity, details)
