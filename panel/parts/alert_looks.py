"""How alerts look: the word, icon and colour of each severity, and the words of each kind."""

from collections.abc import Mapping
from typing import Any

from callboard.control.reads.alerts import Alert
from callboard.core.health.alarms import OF_JOBS, OF_QUEUES
from callboard.core.search import Search
from callboard.panel.palette import GREY, RED, YELLOW, Look
from callboard.panel.parts.links import leave, open_collisions, open_health, open_job, open_schedule
from callboard.panel.parts.plain import shown

SEVERITIES = {
    "critical": Look("Critical", RED, "red", ":material/error:"),
    "warning": Look("Warning", YELLOW, "yellow", ":material/warning:"),
}
#: So many jobs a search names.
LISTED = 10
_OTHER = Look("Other", GREY, "gray", ":material/info:")

KINDS = {
    "breaker_open": "Circuit breaker open",
    "queue_health": "Queue unhealthy",
    "queue_bottleneck": "Bottleneck",
    "queue_backlog": "Backlog",
    "queue_slow": "Slow runs",
    "job_failures": "Job fails",
    "burn_rate": "Objective missed",
    "anomaly": "Out of the ordinary",
    "schedule_collision": "Schedules collide",
    "health": "Health check",
    "clock_offset": "Clocks disagree",
    "clock_step": "Clock jumped",
    "schedule_unreadable": "Schedule unreadable",
    "uncertain_messages": "Messages uncertain",
    "air_quality": "Air quality",
    "review": "Bad review",
}


def severity(word: str) -> Look:
    """How a severity looks."""
    return SEVERITIES.get(word, _OTHER)


def kind_word(kind: str) -> str:
    """A kind in words; one that is not known is shown as it is."""
    return KINDS.get(kind) or shown(kind, longest=60)


def where(alert: Alert) -> tuple[str, str] | None:
    """What to look at, and its icon; None where there is no page of it."""
    if alert.kind in OF_JOBS and alert.job is None:
        return "Open the runs", ":material/play_circle:"
    if _unserved(alert):
        return "Open workers", ":material/memory:"
    if alert.kind in OF_JOBS:
        return "Open the job", ":material/event_repeat:"
    if alert.kind in OF_QUEUES:
        return "Open health", ":material/monitor_heart:"
    if alert.kind == "breaker_open":
        return "Open queues", ":material/stacks:"
    if alert.kind == "schedule_unreadable":
        return "Open the schedule", ":material/calendar_clock:"
    if alert.kind == "anomaly":
        return "Open anomalies", ":material/troubleshoot:"
    if alert.kind == "schedule_collision":
        return "Open the week", ":material/calendar_view_week:"
    return None


def go(alert: Alert) -> None:
    """Go there."""
    if alert.job is not None:
        open_job(alert.job)
    elif alert.kind in OF_JOBS:
        leave("views/runs.py", q=str(_failed(alert.details)))
    elif _unserved(alert):
        leave("views/workers.py")
    elif alert.kind in OF_QUEUES:
        open_health(alert.details.get("queues", [alert.subject])[0])
    elif alert.kind == "schedule_unreadable" and isinstance(alert.details.get("schedule_id"), int):
        open_schedule(alert.details["schedule_id"])
    elif alert.kind == "anomaly":
        leave("views/anomalies.py")
    elif alert.kind == "schedule_collision":
        open_collisions()
    else:
        leave("views/queues.py")


def _failed(details: Mapping[str, Any]) -> Search:
    """The runs of several jobs that failed with one error; of unknown type, those of the first jobs."""
    kind = details.get("error_type")
    if kind is not None:
        return Search(states=("failed", "dead"), error_types=(str(kind),))
    return Search(states=("failed", "dead"), jobs=tuple(map(str, details.get("jobs", ())))[:LISTED])


def _unserved(alert: Alert) -> bool:
    """Whether it is about several queues that nobody serves."""
    return "queues" in alert.details and alert.details.get("cause") == "no_consumer"
