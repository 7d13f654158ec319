"""The table of jobs: which of them are shown, what stands in each row, and what a click in it does."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import streamlit as st
from pandas import DataFrame

from callboard.control.auth import Principal
from callboard.control.reads.durations import Trend
from callboard.control.reads.jobs import Job
from callboard.panel.palette import MARKS, look
from callboard.panel.parts import tables
from callboard.panel.parts.links import open_job
from callboard.panel.parts.switch import on_now

Status = Literal["All", "Unwell", "Unusual", "Running", "Off"]
STATUSES: tuple[Status, ...] = ("All", "Unwell", "Unusual", "Running", "Off")

ON, OFF = ":material/toggle_on: On", ":material/toggle_off: Off"
RUN = ":material/play_arrow: Run"
NO_CATEGORY = "other"


def shown(
    jobs: Sequence[Job],
    *,
    search: str = "",
    category: str | None = None,
    status: str = "All",
    unusual: Collection[str] = (),
) -> list[Job]:
    """The jobs that match: every word of the search occurs in the name, description, queue or schedule.

    `unusual` are the names of those about which something is out of the ordinary.
    """
    words = search.lower().split()
    return [
        job
        for job in jobs
        if _matches(job, words, category, status) and (status != "Unusual" or job.name in unusual)
    ]


def _matches(job: Job, words: Sequence[str], category: str | None, status: str) -> bool:
    if category and (job.category or NO_CATEGORY) != category:
        return False
    if status == "Unwell" and job.stats.mark not in ("warning", "bad"):
        return False
    if status == "Running" and not job.running:
        return False
    if status == "Off" and job.enabled:
        return False
    text = f"{job.name} {job.description or ''} {job.queue} {job.schedule or ''} {job.schedule_words}".lower()
    return all(word in text for word in words)


def frame(jobs: Sequence[Job], trends: Mapping[str, Trend]) -> DataFrame:
    """One row a job, in the order given."""
    nothing = Trend((), (), None, None)
    known = [trends.get(job.name, nothing) for job in jobs]
    return DataFrame(
        {
            "mark": [[MARKS[job.stats.mark].word] if job.enabled else ["Off"] for job in jobs],
            "job": [job.name for job in jobs],
            "category": [job.category or NO_CATEGORY for job in jobs],
            "schedule": [job.schedule_words for job in jobs],
            "next": [job.next_run_at for job in jobs],
            "last": [job.last_run.started_at if job.last_run else None for job in jobs],
            "outcome": [[look(job.last_run.state).word] if job.last_run else [] for job in jobs],
            "rate": [job.stats.success_rate for job in jobs],
            "p95": [None if trend.p95_ms is None else trend.p95_ms / 1000 for trend in known],
            "days": [[ms / 1000 for ms in trend.p95_days if ms is not None] for trend in known],
            "switch": [ON if job.enabled else OFF for job in jobs],
            "run": [RUN if job.enabled else None for job in jobs],
        }
    )


def table(
    jobs: Sequence[Job], trends: Mapping[str, Trend], viewer: Principal, *, key: str, choose: bool
) -> list[str]:
    """Put the table on the page; with `choose`, rows can be chosen, and those that are come back by name.

    `key` changes with the filters and the rows, so that no position outlives them.
    """
    names = [job.name for job in jobs]
    st.session_state[ROWS] = names
    off = look("pending")
    config = {
        "mark": tables.badges("Health", [MARKS[mark] for mark in MARKS], width=76, more={"Off": off.colour}),
        "job": tables.opener("Job", f"{key}_open", open_job, names, width=192),
        "category": st.column_config.TextColumn("Category", width=86),
        "schedule": st.column_config.TextColumn("Schedule", width=118),
        "next": tables.ago("Next", width=86),
        "last": tables.ago("Last run", width=100),
        "outcome": tables.badges(
            "Outcome", [look(job.last_run.state) for job in jobs if job.last_run], width=88
        ),
        "rate": st.column_config.NumberColumn("Success", format="%.1f%%", width=62),
        "p95": tables.seconds("p95", width=66),
        "days": st.column_config.LineChartColumn(
            "By day",
            width=64,
            y_min=0,
            help="The 95th percentile in seconds over 14 days; days without a run are left out",
        ),
    }
    columns = list(config)
    if viewer.may("jobs:toggle"):
        columns.append("switch")
        config["switch"] = st.column_config.ButtonColumn(
            "Switch", type="tertiary", width=62, key="jobs_switch", on_click=ask, args=("jobs_switch",)
        )
    if viewer.may("jobs:run"):
        columns.append("run")
        config["run"] = st.column_config.ButtonColumn(
            "Run", type="tertiary", width=62, key="jobs_run", on_click=ask, args=("jobs_run",)
        )
    shown = frame(jobs, trends)[columns]
    look_of: dict[str, Any] = {
        "key": key,
        "hide_index": True,
        "height": "content",
        "placeholder": "",
        "alt": "Jobs with their schedules and health",
        "column_config": config,
    }
    if not choose:
        tables.table(shown, **look_of)
        return []
    state = tables.table(shown, on_select="rerun", selection_mode="multi-row", **look_of)
    return [names[row] for row in state.selection.rows if row < len(names)]


def key_of(jobs: Sequence[Job], *filters: object) -> str:
    """The key of a table of those jobs, in that order, found by those filters."""
    return f"jobs_{abs(hash((*filters, *(job.name for job in jobs))))}"


#: Where the names of the rows that were sent are kept, and what a click asked for.
ROWS, ASKED = "jobs_rows", "jobs_asked"


def ask(key: str) -> None:
    """Answer a click on a row's button: name the job that stood in that row; the page does the rest."""
    click = st.session_state.get(key)
    name = tables.row_of(click, st.session_state.get(ROWS, ()))
    if name is None:
        return
    if key == "jobs_run":
        st.session_state[ASKED] = ("run", name)
    elif getattr(click, "label", None) == OFF:
        on_now(name)
        st.session_state[ASKED] = ("told", name)
    else:
        st.session_state[ASKED] = ("off", name)
