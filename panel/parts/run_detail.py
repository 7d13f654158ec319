"""What a run left: its error, log lines, arguments, result and attempts, all as plain text."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import streamlit as st
from pandas import DataFrame

from callboard.control.reads.runs import LogLine, RunDetail
from callboard.core import display
from callboard.panel.palette import look
from callboard.panel.parts import tables
from callboard.panel.parts.executions import TRIGGERS
from callboard.panel.parts.facts import facts
from callboard.panel.parts.heading import nothing, viewer_zone
from callboard.panel.parts.links import open_job
from callboard.panel.parts.plain import label, plain
from callboard.panel.parts.running import progress

#: So many lines of a log are shown at once.
SHOWN = 2_000


def head(detail: RunDetail, now: datetime) -> None:
    """Which run it is and how it stands."""
    run = detail.run
    how = look(run.state)
    with st.container(gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.title(f"Run {str(run.run_id)[:8]}", width="content")
            st.button(
                label(run.job),
                key="to_job",
                type="tertiary",
                icon=":material/event_repeat:",
                on_click=open_job,
                args=(run.job,),
            )
        with st.container(horizontal=True, gap="xsmall"):
            retrying = run.state == "pending" and run.attempt > 1
            st.badge(
                "Retrying" if retrying else how.word, icon=how.icon, color="yellow" if retrying else how.named
            )
            if run.max_attempts and run.max_attempts > 1:
                st.badge(
                    display.attempt_of(run.attempt, run.max_attempts), icon=":material/replay:", color="gray"
                )
            st.badge(TRIGGERS.get(run.trigger, label(run.trigger)), icon=":material/bolt:", color="gray")
            plain(str(run.run_id), style="code")
    if run.state == "processing":
        share, said = progress(run.progress, run.running_ms(now), None)
        left, right = st.columns([6, 1], vertical_alignment="center")
        left.progress(share)
        right.markdown(f"**{display.clock(run.running_ms(now))}**")
        if said:
            plain(said, style="quiet")


def facts_of(detail: RunDetail, now: datetime) -> None:
    """When, where and for whom."""
    run, here = detail.run, display.zone(viewer_zone())
    told = {
        "Due": _moment(run.due_at, here, now),
        "Queued": _moment(run.enqueued_at, here, now),
        "Started": _moment(run.started_at, here, now),
        "Finished": _moment(run.finished_at, here, now),
        "Next attempt": _moment(run.next_retry_at, here, now) if not run.ended else None,
        "Waited": display.span(run.wait_ms) if run.wait_ms is not None else None,
        "Took": display.span(run.duration_ms) if run.duration_ms is not None else None,
        "Time limit": display.span(run.time_limit_ms) if run.time_limit_ms else None,
        "Asked for by": run.requested_by,
        "Worker": run.worker,
        "Queue": run.queue,
        "Reason": run.reason,
    }
    facts("Facts", {name: value for name, value in told.items() if value}, f"times in {viewer_zone()}")


def _moment(at: datetime | None, here: Any, now: datetime) -> str | None:
    return None if at is None else f"{display.moment(at, here, now)}  ({display.distance(at, now)})"


def body(detail: RunDetail) -> None:
    """The error first, where there is one; then all that was kept, in tabs."""
    run = detail.run
    if run.error or run.error_type:
        said = (
            f"{run.error_type}: {run.error}"
            if run.error_type and run.error
            else run.error or run.error_type or ""
        )
        with st.container(border=True, key="run_error"):
            st.markdown(
                ":red[:material/error:] **Error**"
                if run.state != "succeeded"
                else "**Error of an earlier attempt**"
            )
            st.code(said, language=None, wrap_lines=True, height="content" if len(said) < 1_500 else 300)
    tabs = [f"Log {len(detail.logs)}", "Traceback", "Arguments", "Result", f"Attempts {len(detail.attempts)}"]
    log, traceback, given, result, attempts = st.tabs(tabs, key="run_tab")
    with log:
        lines(detail.logs)
    with traceback:
        text = detail.traceback or next(
            (each.traceback for each in reversed(detail.attempts) if each.traceback), None
        )
        if text:
            st.code(text, language=None, wrap_lines=True, height="content" if len(text) < 6_000 else 560)
        else:
            nothing("check", "No attempt of it raised an exception.")
    with given:
        _json(
            {"args": detail.args, "kwargs": detail.kwargs} if detail.args or detail.kwargs else None,
            "It was given no arguments.",
        )
    with result:
        _json(detail.result, "It left no result." if run.ended else "It has not finished.")
    with attempts:
        _attempts(detail)


def lines(found: Sequence[LogLine]) -> None:
    """The log, one line a row, the way it was written."""
    if not found:
        nothing("notes", "It logged nothing. What a job writes with logging or structlog appears here.")
        return
    here = display.zone(viewer_zone())
    many = len({line.attempt for line in found}) > 1
    text = "\n".join(
        f"{line.at.astimezone(here):%H:%M:%S.%f}"[:-3]
        + (f"  #{line.attempt}" if many else "")
        + f"  {line.level.upper():<8} {line.message}"
        for line in found[-SHOWN:]
    )
    if len(found) > SHOWN:
        st.caption(f"The last {SHOWN:,} of {len(found):,} lines")
    st.code(text, language=None, wrap_lines=True, height="content" if len(found) < 26 else 520)


def _json(value: Any, otherwise: str) -> None:
    if value is None:
        nothing("data_object", otherwise)
        return
    st.code(json.dumps(value, indent=2, ensure_ascii=False, default=str), language="json", wrap_lines=True)


def _attempts(detail: RunDetail) -> None:
    if not detail.attempts:
        nothing("replay", "It has not begun.")
        return
    found = detail.attempts
    frame = DataFrame(
        {
            "attempt": [each.attempt for each in found],
            "state": [[look(each.state).word] for each in found],
            "started": [each.started_at for each in found],
            "duration": [None if each.duration_ms is None else each.duration_ms / 1000 for each in found],
            "worker": [each.worker or "" for each in found],
            "error": [f"{each.error_type or ''}: {each.error or ''}".strip(": ")[:400] for each in found],
        }
    )
    st.dataframe(
        frame,
        key="attempts",
        hide_index=True,
        height="content",
        placeholder="",
        alt="Attempts of this run",
        column_config={
            "attempt": st.column_config.NumberColumn("Attempt", width=72),
            "state": tables.badges("Status", [look(each.state) for each in found], width=90),
            "started": tables.moments("Started", width=140),
            "duration": tables.seconds("Duration", width=84),
            "worker": st.column_config.TextColumn("Worker", width=140),
            "error": st.column_config.TextColumn("Error", width="large"),
        },
    )
