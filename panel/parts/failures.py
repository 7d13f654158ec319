"""What failed of late, and which jobs fail more often than they should."""

from collections.abc import Sequence

import streamlit as st
from pandas import DataFrame

from callboard.control.reads.jobs import Job
from callboard.control.reads.runs import Run
from callboard.panel.palette import MARKS, look
from callboard.panel.parts import tables
from callboard.panel.parts.heading import card_title, nothing
from callboard.panel.parts.links import open_job, open_run


def recent_failures(runs: Sequence[Run], window: str) -> None:
    """Put the latest failures on the page; a click on one opens its run."""
    card_title("Recent failures", f"the latest {len(runs)} of the last {window}" if runs else None)
    if not runs:
        nothing("task_alt", f"Nothing failed in the last {window}.", height=220)
        return
    frame = DataFrame(
        {
            "job": [run.job for run in runs],
            "state": [[look(run.state).word] for run in runs],
            "when": [run.finished_at for run in runs],
            "error": [one_line(run) for run in runs],
        }
    )
    tables.table(
        frame,
        key="failures",
        hide_index=True,
        alt="The latest failed runs",
        column_config={
            "job": tables.opener(
                "Job", "failure_open", open_run, [str(run.run_id) for run in runs], width=170
            ),
            "state": tables.badges("State", [look(run.state) for run in runs], width=76),
            "when": tables.ago("When", width=104),
            "error": st.column_config.TextColumn("Error", width="large"),
        },
    )


def one_line(run: Run) -> str:
    """A run's error on one line: its type and the first line of its message."""
    message = (run.error or run.reason or "").strip()
    first = message.splitlines()[0][:300] if message else ""
    return f"{run.error_type}: {first}" if run.error_type and first else first or run.error_type or ""


def attention(jobs: Sequence[Job]) -> None:
    """Put the jobs on the page whose success rate is not well, the worst first."""
    poor = sorted(
        (job for job in jobs if job.stats.mark in ("warning", "bad")),
        key=lambda job: job.stats.success_rate or 0,
    )
    card_title("Needs attention", "jobs under 95% success")
    if not poor:
        seen = any(job.stats.executions for job in jobs)
        said = "Every job that ran succeeds at least 95% of the time." if seen else "No job has run yet."
        nothing("verified" if seen else "hourglass_empty", said, height=220)
        return
    frame = DataFrame(
        {
            "job": [job.name for job in poor],
            "mark": [[MARKS[job.stats.mark].word] for job in poor],
            "rate": [job.stats.success_rate for job in poor],
            "failures": [job.stats.failures for job in poor],
        }
    )
    tables.table(
        frame,
        key="attention",
        hide_index=True,
        alt="Jobs whose success rate is under 95%",
        column_config={
            "job": tables.opener("Job", "attention_open", open_job, [job.name for job in poor], width=176),
            "mark": tables.badges("State", [MARKS[job.stats.mark] for job in poor], width=86),
            "rate": st.column_config.NumberColumn("Success", format="%.1f%%", width=70),
            "failures": st.column_config.NumberColumn("Failures", width=68),
        },
    )
