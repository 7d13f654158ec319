"""What a run left: its error, log, arguments, result and attempts, all as plain text."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import streamlit as st
from pandas import DataFrame

from callboard.control.auth import Principal
from callboard.control.context import Context
from callboard.control.reads.runs import RunDetail
from callboard.control.reads.runs import run as read_run
from callboard.core import display
from callboard.core.health.waits import PARTS
from callboard.panel.palette import look
from callboard.panel.parts import tables
from callboard.panel.parts.executions import TRIGGERS
from callboard.panel.parts.facts import facts
from callboard.panel.parts.heading import nothing, viewer_zone
from callboard.panel.parts.links import open_job
from callboard.panel.parts.log import log
from callboard.panel.parts.plain import badge_label, label, plain
from callboard.panel.parts.running import progress
from callboard.panel.parts.taking import Make
from callboard.panel.parts.verbatim import verbatim

#: What a run left, as it stands in the address too.
TABS = ("Log", "Traceback", "Arguments", "Result", "Attempts")


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
            st.badge(
                TRIGGERS.get(run.trigger, badge_label(run.trigger)), icon=":material/bolt:", color="gray"
            )
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
    moments = {
        "Due": run.due_at,
        "Queued": run.enqueued_at,
        "Started": run.started_at,
        "Finished": run.finished_at,
        "Next attempt": run.next_retry_at if not run.ended else None,
    }
    told = {
        **{name: _moment(at, here, now) for name, at in moments.items()},
        "Waited": display.span(run.wait_ms) if run.wait_ms is not None else None,
        "Held back": ", ".join(
            f"{PARTS[cause].removeprefix('Held: ')} {display.span(ms)}" for cause, ms in detail.held.items()
        )
        or None,
        "Took": display.span(run.duration_ms) if run.duration_ms is not None else None,
        "Time limit": display.span(run.time_limit_ms) if run.time_limit_ms else None,
        "Asked for by": run.requested_by,
        "Worker": run.worker,
        "Queue": run.queue,
        "Reason": run.reason,
    }
    facts(
        "Facts",
        {name: value for name, value in told.items() if value},
        f"times in {viewer_zone()}",
        moments=moments,
    )


def _moment(at: datetime | None, here: Any, now: datetime) -> str | None:
    return (
        None if at is None else f"{display.moment(at, here, now, exact=True)}  ({display.distance(at, now)})"
    )


def body(detail: RunDetail) -> None:
    """The error first, where there is one; then all that was kept, in tabs."""
    run = detail.run
    if run.error or run.error_type:
        with st.container(border=True, key="run_error"):
            st.markdown(
                ":red[:material/error:] **Error**"
                if run.state != "succeeded"
                else "**Error of an earlier attempt**"
            )
            verbatim(_error(detail), key="error", whole=_taken(detail, _error))
    log_tab, traceback, given, result, attempts = st.tabs(TABS, key="run_tab", bind="query-params")
    with log_tab:
        log(str(detail.run.run_id), detail.logs)
    with traceback:
        if text := _traceback(detail):
            verbatim(text, key="traceback", whole=_taken(detail, _traceback), tall=6_000, height=560)
        else:
            nothing("check", "No attempt of it raised an exception.")
    with given:
        if detail.args or detail.kwargs:
            _json(detail, "arguments", _arguments)
        else:
            nothing("data_object", "It was given no arguments.")
    with result:
        if detail.result is None:
            nothing("data_object", "It left no result." if run.ended else "It has not finished.")
        else:
            _json(detail, "result", _result)
    with attempts:
        _attempts(detail)


def _error(detail: RunDetail) -> str:
    return ": ".join(each for each in (detail.run.error_type, detail.run.error) if each)


def _traceback(detail: RunDetail) -> str:
    found = (each.traceback for each in reversed(detail.attempts) if each.traceback)
    return detail.traceback or next(found, "")


def _arguments(detail: RunDetail) -> str:
    return _written({"args": detail.args, "kwargs": detail.kwargs})


def _result(detail: RunDetail) -> str:
    return _written(detail.result)


def _written(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _json(detail: RunDetail, key: str, part: Callable[[RunDetail], str]) -> None:
    whole = _taken(detail, part)
    verbatim(part(detail), key=key, whole=whole, language="json", tall=6_000, height=560)


def _taken(detail: RunDetail, part: Callable[[RunDetail], str]) -> Make:
    """Makes a file of a part of a run, of what is there when it is asked for."""
    run_id = str(detail.run.run_id)

    def make(context: Context, _viewer: Principal) -> str:
        return part(read_run(context, run_id))

    return make


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
    tables.table(
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
