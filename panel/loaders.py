"""Reads, shared by all viewers: however many look, the database is asked once in a while.

What comes back is frozen and shared, not copied. After an action, `forget` makes the next look a fresh one.
It is kept for a little less than the time after which a page asks again, or several times that, so that
fifteen viewers ask the database hardly more often than one.
"""

from collections.abc import Mapping

import streamlit as st

from callboard.control.actions import bulk_runs as bulk_run_actions
from callboard.control.actions.bulk_runs import What
from callboard.control.reads import alerts as alert_reads
from callboard.control.reads import anomalies as anomaly_reads
from callboard.control.reads import backlog as backlog_reads
from callboard.control.reads import breakers as breaker_reads
from callboard.control.reads import bulk as bulk_reads
from callboard.control.reads import calendar as calendar_reads
from callboard.control.reads import collisions as collision_reads
from callboard.control.reads import durations as duration_reads
from callboard.control.reads import failures as failure_reads
from callboard.control.reads import fleet as fleet_reads
from callboard.control.reads import health as health_reads
from callboard.control.reads import health_trends as health_trend_reads
from callboard.control.reads import jobs as job_reads
from callboard.control.reads import ledger as ledger_reads
from callboard.control.reads import letters as letter_reads
from callboard.control.reads import limits as limit_reads
from callboard.control.reads import pauses as pause_reads
from callboard.control.reads import queues as queue_reads
from callboard.control.reads import quick_actions as quick_reads
from callboard.control.reads import run_search as run_search_reads
from callboard.control.reads import runs as run_reads
from callboard.control.reads import schedules as schedule_reads
from callboard.control.reads import silences as silence_reads
from callboard.control.reads import trends as trend_reads
from callboard.control.reads import waits as wait_reads
from callboard.control.reads.alerts import Alert
from callboard.control.reads.backlog import Backlog
from callboard.control.reads.breakers import Breaker
from callboard.control.reads.bulk import About, BulkAction
from callboard.control.reads.calendar import Day
from callboard.control.reads.collisions import PoolWeek
from callboard.control.reads.durations import Durations, Trend
from callboard.control.reads.fleet import Fleet
from callboard.control.reads.health import QueueHealth
from callboard.control.reads.jobs import Job
from callboard.control.reads.ledger import Occurrence
from callboard.control.reads.ledger import Wanted as WantedSlots
from callboard.control.reads.letters import Group, Wanted
from callboard.control.reads.limits import Limit
from callboard.control.reads.pauses import Pause
from callboard.control.reads.queues import Queue, QueueDetail
from callboard.control.reads.quick_actions import QuickAction
from callboard.control.reads.run_search import Page as RunPage
from callboard.control.reads.run_search import States
from callboard.control.reads.run_search import Wanted as WantedRuns
from callboard.control.reads.runs import Run, RunDetail
from callboard.control.reads.schedules import Schedule
from callboard.control.reads.silences import Silence
from callboard.control.reads.spans import Span
from callboard.control.reads.trends import Outcomes
from callboard.control.reads.waits import Waits
from callboard.core.anomalies import Finding
from callboard.core.clock import utcnow
from callboard.core.health import Trend as HealthTrend
from callboard.panel.home import context

#: Seconds that a search may take by itself, and when somebody asks to look further.
AT_ONCE_S, FURTHER_S = 0.07, 2.0


@st.cache_resource(ttl=9.5, max_entries=16, show_spinner=False)
def jobs(days: int) -> tuple[Job, ...]:
    return job_reads.jobs(context(), days=days)


@st.cache_resource(ttl=3.8, max_entries=256, show_spinner=False)
def job(name: str, days: int) -> Job:
    return job_reads.job(context(), name, days=days)


@st.cache_resource(ttl=1.8, max_entries=256, show_spinner=False)
def running(job: str | None = None) -> tuple[Run, ...]:
    return run_reads.running(context(), job=job)


@st.cache_resource(ttl=9.5, max_entries=512, show_spinner=False)
def outcomes(hours: float, job: str | None = None) -> Outcomes:
    return trend_reads.outcomes(context(), hours=hours, job=job)


@st.cache_resource(ttl=9.5, max_entries=16, show_spinner=False)
def compared(hours: float) -> tuple[Outcomes, Outcomes]:
    return trend_reads.compared(context(), hours=hours)


@st.cache_resource(ttl=14.5, max_entries=256, show_spinner=False)
def durations(hours: float, job: str | None = None) -> Durations:
    return duration_reads.durations(context(), hours=hours, job=job)


@st.cache_resource(ttl=59, max_entries=4, show_spinner=False)
def trends(days: int = 14) -> dict[str, Trend]:
    return duration_reads.trends(context(), days=days)


@st.cache_resource(ttl=9.5, max_entries=16, show_spinner=False)
def failures(hours: float, limit: int) -> tuple[Run, ...]:
    return failure_reads.failures(context(), hours=hours, limit=limit)


@st.cache_resource(ttl=4.5, max_entries=256, show_spinner=False)
def history(job: str, days: int, limit: int) -> tuple[Run, ...]:
    return run_reads.history(context(), job, days=days, limit=limit)


@st.cache_resource(ttl=4.5, max_entries=256, show_spinner=False)
def ledger(job: str, limit: int) -> tuple[Occurrence, ...]:
    return ledger_reads.ledger(context(), job, limit=limit)


@st.cache_resource(ttl=4.5, max_entries=4, show_spinner=False)
def schedules() -> tuple[Schedule, ...]:
    return schedule_reads.schedules(context())


@st.cache_resource(ttl=4.5, max_entries=256, show_spinner=False)
def slots(wanted: WantedSlots, limit: int) -> tuple[Occurrence, ...]:
    return ledger_reads.page(context(), wanted, limit=limit)[0]


@st.cache_resource(ttl=1.8, max_entries=256, show_spinner=False)
def run(run_id: str) -> RunDetail:
    return run_reads.run(context(), run_id)


@st.cache_resource(ttl=3.8, max_entries=64, show_spinner=False)
def letter_groups(job: str | None, text: str | None) -> tuple[Group, ...]:
    return letter_reads.groups(context(), Wanted(job=job, text=text))


@st.cache_resource(ttl=1.8, max_entries=4, show_spinner=False)
def bulk_actions(about: About, limit: int) -> tuple[BulkAction, ...]:
    return bulk_reads.bulk_actions(context(), about, limit=limit)[0]


@st.cache_resource(ttl=1.8, max_entries=4, show_spinner=False)
def pauses() -> tuple[Pause, ...]:
    return pause_reads.pauses(context())


@st.cache_resource(ttl=1.8, max_entries=4, show_spinner=False)
def queues() -> tuple[Queue, ...]:
    return queue_reads.queues(context())


@st.cache_resource(ttl=1.8, max_entries=64, show_spinner=False)
def queue(name: str) -> QueueDetail:
    return queue_reads.queue(context(), name)


@st.cache_resource(ttl=4.5, max_entries=128, show_spinner=False)
def runs_found(wanted: WantedRuns, limit: int) -> RunPage:
    return run_search_reads.look(context(), wanted, seconds=AT_ONCE_S, limit=limit)


# Somebody asked for these, and they hardly change: so they may take longer, and are kept longer.
@st.cache_resource(ttl=30, max_entries=128, show_spinner=False)
def runs_further(wanted: WantedRuns, cursor: str, limit: int) -> RunPage:
    return run_search_reads.look(context(), wanted, seconds=FURTHER_S, limit=limit, cursor=cursor)


@st.cache_resource(ttl=4.5, max_entries=128, show_spinner=False)
def run_states(wanted: WantedRuns) -> States:
    return run_search_reads.states(context(), wanted, seconds=AT_ONCE_S)


@st.cache_resource(ttl=3, max_entries=64, show_spinner=False)
def bulk_count(what: What, wanted: WantedRuns) -> int:
    return bulk_run_actions.count(context(), what, wanted)


@st.cache_resource(ttl=2.8, max_entries=4, show_spinner=False)
def fleet() -> Fleet:
    return fleet_reads.fleet(context())


@st.cache_resource(ttl=1.8, max_entries=4, show_spinner=False)
def breakers() -> tuple[Breaker, ...]:
    return breaker_reads.breakers(context())


@st.cache_resource(ttl=3.8, max_entries=4, show_spinner=False)
def limits() -> tuple[Limit, ...]:
    return limit_reads.limits(context())


@st.cache_resource(ttl=10, max_entries=4, show_spinner=False)
def quick_actions() -> tuple[QuickAction, ...]:
    return quick_reads.quick_actions(context())


@st.cache_resource(ttl=1.8, max_entries=64, show_spinner=False)
def quick_log(actions: tuple[QuickAction, ...], limit: int) -> tuple[Run, ...]:
    return quick_reads.execution_log(context(), actions, limit=limit)


@st.cache_resource(ttl=9.5, max_entries=4, show_spinner=False)
def health() -> tuple[QueueHealth, ...]:
    return health_reads.queues_health(context())


@st.cache_resource(ttl=9.5, max_entries=4, show_spinner=False)
def depths() -> Mapping[str, tuple[int, ...]]:
    return backlog_reads.depths(context())


@st.cache_resource(ttl=14.5, max_entries=256, show_spinner=False)
def backlog(queue: str, span: Span) -> Backlog:
    return backlog_reads.queue_backlog(context(), queue, span)


@st.cache_resource(ttl=29, max_entries=256, show_spinner=False)
def waits(queue: str, span: Span) -> Waits:
    return wait_reads.queue_waits(context(), queue, span)


@st.cache_resource(ttl=14.5, max_entries=256, show_spinner=False)
def trend(queue: str, job: str | None, span: Span) -> HealthTrend:
    if job is not None:
        return health_trend_reads.job_trend(context(), job, span)
    return health_trend_reads.queue_trend(context(), queue, span)


@st.cache_resource(ttl=3.8, max_entries=4, show_spinner=False)
def open_alerts() -> tuple[Alert, ...]:
    return alert_reads.alerts(context())[0]


@st.cache_resource(ttl=3.8, max_entries=64, show_spinner=False)
def alert_history(kind: str | None, cursor: str | None, limit: int) -> tuple[tuple[Alert, ...], str | None]:
    return alert_reads.alerts(context(), open_only=False, kind=kind, cursor=cursor, limit=limit)


@st.cache_resource(ttl=30, max_entries=4, show_spinner=False)
def alert_kinds() -> tuple[str, ...]:
    return alert_reads.kinds(context())


@st.cache_resource(ttl=3.8, max_entries=4, show_spinner=False)
def silences(limit: int) -> tuple[Silence, ...]:
    return silence_reads.silences(context(), open_only=False, limit=limit)[0]


@st.cache_resource(ttl=14.5, max_entries=4, show_spinner=False)
def anomalies() -> tuple[Finding, ...]:
    return anomaly_reads.anomalies(context())


@st.cache_resource(ttl=59, max_entries=4, show_spinner=False)
def collisions() -> tuple[PoolWeek, ...]:
    return collision_reads.collisions(context())


@st.cache_resource(ttl=59, max_entries=32, show_spinner=False)
def coming_days(tz: str) -> tuple[Day, ...]:
    return calendar_reads.coming_days(schedules(), tz, utcnow())


def forget() -> None:
    """Look afresh from now on: something was changed."""
    for loader in (
        jobs, job, running, history, run, ledger, schedules, slots, letter_groups, bulk_actions, pauses,
        queue, queues, runs_found, runs_further, run_states, bulk_count, breakers, limits,
        quick_actions, quick_log, health, open_alerts, alert_history, silences, fleet, anomalies, collisions,
        coming_days,
    ):  # fmt: skip
        loader.clear()
