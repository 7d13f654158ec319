"""What is due next."""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st
from pandas import DataFrame

from callboard.control.reads.jobs import Job
from callboard.core.display import distance
from callboard.panel.parts import tables
from callboard.panel.parts.heading import card_title, nothing, viewer_zone
from callboard.panel.parts.links import open_job

#: So many jobs are listed.
LISTED = 20


def next_runs(jobs: Sequence[Job], now: datetime) -> None:
    """Put the jobs that are due next on the page, each once, in order."""
    due = sorted((job.next_run_at, job.name) for job in jobs if job.next_run_at is not None)[:LISTED]
    card_title("Next runs", f"times in {viewer_zone()}")
    if not due:
        nothing(
            "event_busy", "Nothing is scheduled. Give an actor the option periodic=cron(...).", height=220
        )
        return
    names = [name for _, name in due]
    frame = DataFrame(
        {
            "job": names,
            "due": [distance(at, now) for at, _ in due],
            "at": [at for at, _ in due],
        }
    )
    tables.table(
        frame,
        key="upcoming",
        hide_index=True,
        alt="The jobs that are due next",
        column_config={
            "job": tables.opener("Job", "upcoming_open", open_job, names, width=196),
            "due": st.column_config.TextColumn("Due", width=76),
            "at": tables.moments("At", width=96, form="ddd HH:mm:ss"),
        },
    )
