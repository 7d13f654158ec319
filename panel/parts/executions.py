"""The table of a job's executions."""

from collections.abc import Sequence

import streamlit as st
from pandas import DataFrame

from callboard.control.reads.runs import Run
from callboard.panel.palette import look
from callboard.panel.parts import tables
from callboard.panel.parts.failures import one_line
from callboard.panel.parts.links import open_run

TRIGGERS = {"schedule": "schedule", "manual": "by hand", "code": "code", "sql": "SQL"}


def executions(runs: Sequence[Run]) -> None:
    """Put them on the page, the latest first; a click on one opens it."""
    frame = DataFrame(
        {
            "run": [str(run.run_id)[:8] for run in runs],
            "state": [[look(run.state).word] for run in runs],
            "started": [run.started_at for run in runs],
            "duration": [None if run.duration_ms is None else run.duration_ms / 1000 for run in runs],
            "wait": [None if run.wait_ms is None else run.wait_ms / 1000 for run in runs],
            "attempts": [f"{run.attempt} of {run.max_attempts or run.attempt}" for run in runs],
            "trigger": [asked_for_by(run) for run in runs],
            "error": [one_line(run) for run in runs],
        }
    )
    tables.table(
        frame,
        key="executions",
        hide_index=True,
        height=420 if len(runs) > 12 else "content",
        placeholder="",
        alt="Executions of this job, the latest first",
        column_config={
            "run": tables.opener(
                "Run", "executions_open", open_run, [str(run.run_id) for run in runs], width=92
            ),
            "state": tables.badges("Status", [look(run.state) for run in runs], width=90),
            "started": tables.moments("Started", width=136),
            "duration": tables.seconds("Duration", width=84),
            "wait": st.column_config.NumberColumn("Waited", format="%,.2f s", width=76),
            "attempts": st.column_config.TextColumn("Attempt", width=72),
            "trigger": st.column_config.TextColumn("Asked for by", width=110),
            "error": st.column_config.TextColumn("Error", width="large"),
        },
    )


def asked_for_by(run: Run) -> str:
    """Who or what asked for a run."""
    word = TRIGGERS.get(run.trigger, run.trigger)
    return f"{run.requested_by}, {word}" if run.requested_by and run.trigger != "schedule" else word
