"""The banner of what is being executed now; it counts up by itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from callboard.control.reads.durations import Trend
from callboard.control.reads.runs import Run
from callboard.core import display
from callboard.core.anomalies import running_long
from callboard.core.clock import utcnow
from callboard.panel import access, loaders
from callboard.panel.parts.links import open_run
from callboard.panel.parts.plain import label, plain

#: More than these are counted, not listed.
LISTED = 6


@access.live("running", 2)
def running_banner(job: str | None = None) -> None:
    """Put the running jobs on the page, those of one job where it is named; nothing where none runs."""
    runs = loaders.running(job)
    if runs:
        banner(runs, loaders.trends(), utcnow(), named=job is None)


def banner(runs: Sequence[Run], trends: Mapping[str, Trend], now: datetime, *, named: bool) -> None:
    with st.container(border=True, key="running_banner", gap="small"):
        st.markdown(f":blue[:material/play_circle:] **{display.many(len(runs), 'run')} in progress**")
        for run in runs[:LISTED]:
            _row(run, trends.get(run.job), now, named=named)
        if len(runs) > LISTED:
            st.caption(f"and {display.count(len(runs) - LISTED)} more")


def _row(run: Run, trend: Trend | None, now: datetime, *, named: bool) -> None:
    elapsed = run.running_ms(now)
    usual_ms = trend.p50_ms if trend else None
    what, bar, took = st.columns([3, 5, 2], vertical_alignment="center", gap="small")
    with what:
        st.button(
            label(run.job) if named else f"Run {str(run.run_id)[:8]}",
            key=f"running_{run.run_id}",
            type="tertiary",
            on_click=open_run,
            args=(str(run.run_id),),
        )
    with bar:
        share, said = progress(run.progress, elapsed, usual_ms)
        st.progress(share)
        if said:
            plain(said, style="quiet")
    with took:
        more = [f"usually {display.span(usual_ms)}"] if usual_ms else []
        more += [display.attempt_of(run.attempt, run.max_attempts)] if run.attempt > 1 else []
        clock = f"**{display.clock(elapsed)}**"
        if running_long(elapsed, trend.usual if trend else None):
            clock, more = f":orange[{clock}]", [*more, "running long"]
        st.markdown(f"{clock} :small[:gray[{', '.join(more)}]]")


def progress(
    reported: Mapping[str, Any] | None, elapsed_ms: float | None, usual_ms: float | None
) -> tuple[float, str]:
    """How far a run is, from 0 to 1, and what it says about it.

    What the run itself reports counts; without that, its usual duration says how far it should be, which is
    never taken for done.
    """
    done, total = (reported or {}).get("done"), (reported or {}).get("total")
    note = str((reported or {}).get("note") or "")
    if isinstance(done, int | float) and isinstance(total, int | float) and total > 0:
        said = f"{done:,.0f} of {total:,.0f}" + (f", {note}" if note else "")
        return min(1.0, max(0.0, done / total)), said
    if elapsed_ms is not None and usual_ms:
        return min(0.95, elapsed_ms / usual_ms), note
    return 0.0, note
