"""Reads, shared by all viewers: however many look, the database is asked once in a while.

What comes back is frozen and shared, not copied. After an action, `forget` makes the next look a fresh one.
"""

import streamlit as st

from callboard.control.reads import breakers as breaker_reads
from callboard.control.reads import durations as duration_reads
from callboard.control.reads import failures as failure_reads
from callboard.control.reads import jobs as job_reads
from callboard.control.reads import ledger as ledger_reads
from callboard.control.reads import letters as letter_reads
from callboard.control.reads import pauses as pause_reads
from callboard.control.reads import queues as queue_reads
from callboard.control.reads import runs as run_reads
from callboard.control.reads import schedules as schedule_reads
from callboard.control.reads import trends as trend_reads
from callboard.control.reads.breakers import Breaker
from callboard.control.reads.durations import Durations, Trend
from callboard.control.reads.jobs import Job
from callboard.control.reads.ledger import Occurrence
from callboard.control.reads.ledger import Wanted as WantedSlots
from callboard.control.reads.letters import BulkAction, Group, Wanted
from callboard.control.reads.pauses import Pause
from callboard.control.reads.queues import Queue
from callboard.control.reads.runs import Run, RunDetail
from callboard.control.reads.schedules import Schedule
from callboard.control.reads.trends import Outcomes
from callboard.panel.home import context


@st.cache_resource(ttl=3, max_entries=16, show_spinner=False)
def jobs(days: int) -> tuple[Job, ...]:
    return job_reads.jobs(context(), days=days)


@st.cache_resource(ttl=3, max_entries=256, show_spinner=False)
def job(name: str, days: int) -> Job:
    return job_reads.job(context(), name, days=days)


@st.cache_resource(ttl=0.9, max_entries=256, show_spinner=False)
def running(job: str | None = None) -> tuple[Run, ...]:
    return run_reads.running(context(), job=job)


@st.cache_resource(ttl=4, max_entries=512, show_spinner=False)
def outcomes(hours: float, width_s: int | None = None, job: str | None = None) -> Outcomes:
    return trend_reads.outcomes(context(), hours=hours, width_s=width_s, job=job)


@st.cache_resource(ttl=15, max_entries=256, show_spinner=False)
def durations(hours: float, job: str | None = None) -> Durations:
    return duration_reads.durations(context(), hours=hours, job=job)


@st.cache_resource(ttl=60, max_entries=4, show_spinner=False)
def trends(days: int = 14) -> dict[str, Trend]:
    return duration_reads.trends(context(), days=days)


@st.cache_resource(ttl=4, max_entries=16, show_spinner=False)
def failures(hours: float, limit: int) -> tuple[Run, ...]:
    return failure_reads.failures(context(), hours=hours, limit=limit)


@st.cache_resource(ttl=3, max_entries=256, show_spinner=False)
def history(job: str, days: int, limit: int) -> tuple[Run, ...]:
    return run_reads.history(context(), job, days=days, limit=limit)


@st.cache_resource(ttl=5, max_entries=256, show_spinner=False)
def ledger(job: str, limit: int) -> tuple[Occurrence, ...]:
    return ledger_reads.ledger(context(), job, limit=limit)


@st.cache_resource(ttl=3, max_entries=4, show_spinner=False)
def schedules() -> tuple[Schedule, ...]:
    return schedule_reads.schedules(context())


@st.cache_resource(ttl=3, max_entries=256, show_spinner=False)
def slots(wanted: WantedSlots, limit: int) -> tuple[Occurrence, ...]:
    return ledger_reads.page(context(), wanted, limit=limit)[0]


@st.cache_resource(ttl=1.5, max_entries=256, show_spinner=False)
def run(run_id: str) -> RunDetail:
    return run_reads.run(context(), run_id)


@st.cache_resource(ttl=3, max_entries=64, show_spinner=False)
def letter_groups(job: str | None, text: str | None) -> tuple[Group, ...]:
    return letter_reads.groups(context(), Wanted(job=job, text=text))


@st.cache_resource(ttl=0.9, max_entries=4, show_spinner=False)
def bulk_actions(limit: int) -> tuple[BulkAction, ...]:
    return letter_reads.bulk_actions(context(), limit=limit)[0]


@st.cache_resource(ttl=1.5, max_entries=4, show_spinner=False)
def pauses() -> tuple[Pause, ...]:
    return pause_reads.pauses(context())


@st.cache_resource(ttl=1.5, max_entries=4, show_spinner=False)
def queues() -> tuple[Queue, ...]:
    return queue_reads.queues(context())


@st.cache_resource(ttl=1.5, max_entries=4, show_spinner=False)
def breakers() -> tuple[Breaker, ...]:
    return breaker_reads.breakers(context())


def forget() -> None:
    """Look afresh from now on: something was changed."""
    for loader in (
        jobs, job, running, history, run, ledger, schedules, slots, letter_groups, bulk_actions, pauses,
        queues, breakers,
    ):  # fmt: skip
        loader.clear()
