"""Alerts for what is out of the ordinary, and for schedules that will get in each other's way.

The scheduler's process does it, in a thread beside its own; an alert is one row whoever finds the reason.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from callboard.control.context import Context
from callboard.control.reads.anomalies import JUDGED, anomalies
from callboard.control.reads.collisions import PoolWeek, collisions
from callboard.core.anomalies import Finding, Kind
from callboard.core.clock import utcnow
from callboard.core.display import listed, many
from callboard.core.errors import Unavailable
from callboard.scheduler.courier import Duty
from callboard.storage.alerts import NewAlert, may_judge, settle_alerts
from callboard.storage.queries.anomalies import slowed

ANOMALY: Final = "anomaly"
COLLISION: Final = "schedule_collision"
#: Seconds between two looks.
EVERY = 60.0
#: What each kind of finding is called in an alert.
TOLD: Final[dict[Kind, str]] = {
    "missed": "Slots missed",
    "running_long": "Running long",
    "duration": "Durations changed",
    "suspicious_success": "Suspicious success",
    "too_often": "Too often",
}
#: For how long a run that has ended is worth an alert.
FRESH = timedelta(hours=1)
#: So many of a job's last runs, of those judged, must have taken longer, or less, than usual. Of a single one
#: that took long, people were told while it did.
LASTING = JUDGED // 2
#: What is found of more jobs than these at once has one cause, and one alert, where it is of such a kind: its
#: subject, and what it says of the jobs.
TOGETHER = 3
SHARED: Final[dict[Kind, tuple[str, str]]] = {
    "missed": ("schedules", "Slots of {jobs} have become nothing"),
    "duration": ("durations", "The durations of {jobs} have changed"),
    "running_long": ("long runs", "Runs of {jobs} go on for longer than usual"),
}
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
            found = anomalies(self._context)
            weeks = collisions(self._context)
        except Unavailable:
            # The scheduler's own duties notice and say so.
            return
        with self._context.writer.begin() as connection:
            if not may_judge(connection, "anomalies"):
                return
            alerts = anomaly_alerts(found, now, slowed(connection))
            settle_alerts(connection, ANOMALY, alerts, opening=tells)
            settle_alerts(connection, COLLISION, collision_alerts(weeks, now), opening=tells)


def watch_duties(context: Context) -> list[Duty]:
    """What a scheduler's process has to do for it; nothing where the settings have it switched off."""
    if not context.settings.cron_enable_performance_monitoring:
        return []
    return [Duty("anomalies", Watch(context).judge, EVERY)]


def anomaly_alerts(found: Iterable[Finding], now: datetime, slowed: Collection[str] = ()) -> list[NewAlert]:
    """One alert a job, whatever is found of it; what many jobs have in common is one alert.

    Of the jobs in `slowed` the alert of their queue says that they take long.
    """
    told = [each for each in _worth_telling(tuple(found), now) if each.job not in slowed or not _slow(each)]
    jobs = {kind: {each.job for each in told if each.kind == kind} for kind in SHARED}
    shared = {kind for kind, having in jobs.items() if len(having) > TOGETHER}
    by_job: dict[str, list[Finding]] = defaultdict(list)
    for each in told:
        if each.kind not in shared:
            by_job[each.job].append(each)
    return [
        *(_of_job(job, findings) for job, findings in by_job.items()),
        *(_of_many(kind, [each for each in told if each.kind == kind]) for kind in sorted(shared)),
    ]


def _worth_telling(found: Sequence[Finding], now: datetime) -> list[Finding]:
    ways = Counter((each.job, _longer(each)) for each in found if each.kind == "duration")
    return [
        each
        for each in found
        if (each.kind != "duration" or ways[each.job, _longer(each)] >= LASTING)
        and (each.kind != "suspicious_success" or now - each.since <= FRESH)
    ]


def _longer(found: Finding) -> bool:
    return (found.ratio or 0) > 1


def _slow(found: Finding) -> bool:
    return found.kind == "running_long" or (found.kind == "duration" and _longer(found))


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


def _of_job(job: str, findings: Sequence[Finding]) -> NewAlert:
    first = findings[0]
    others = f" {many(len(findings) - 1, 'more finding')}." if len(findings) > 1 else ""
    text = f"{TOLD[first.kind]}: {first.evidence}{others}"
    return NewAlert(job, text, _worst(findings), {"found": sorted({each.kind for each in findings})})


def _of_many(kind: Kind, findings: Sequence[Finding]) -> NewAlert:
    jobs = sorted({each.job for each in findings})
    subject, said = SHARED[kind]
    text = f"{said.format(jobs=many(len(jobs), 'job'))}: {listed(jobs, 3)}. {findings[0].evidence}"
    return NewAlert(subject, text, _worst(findings), {"found": [kind], "jobs": jobs})


def _worst(findings: Sequence[Finding]) -> str:
    return "critical" if any(each.severity == "critical" for each in findings) else "warning"
