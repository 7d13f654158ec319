"""A job's figures over a window."""

import streamlit as st

from callboard.control.reads.durations import Durations
from callboard.control.reads.jobs import Job
from callboard.core import display
from callboard.panel.palette import MARKS


def job_figures(job: Job, durations: Durations) -> None:
    """Put them side by side."""
    stats, mark = job.stats, MARKS[job.stats.mark]
    p95_ms = durations.p95_ms
    if p95_ms is not None and stats.maximum_ms is not None:
        # Read from a histogram, it may come out a little over what it cannot exceed.
        p95_ms = min(p95_ms, stats.maximum_ms)
    with st.grid(6, min_column_width=132, gap="small"):
        st.metric(
            "Success rate",
            display.rate(stats.success_rate),
            mark.word,
            delta_color=mark.named,
            delta_arrow="off",
            border=True,
            height="stretch",
        )
        _figure(
            "Executions", display.count(stats.executions), display.many(stats.retried, "retry", "retries")
        )
        _figure("Failures", display.count(stats.failures), display.many(stats.skipped, "skipped", "skipped"))
        _figure("Median", display.span(durations.p50_ms), f"average {display.span(stats.average_ms)}")
        _figure("95th percentile", display.span(p95_ms), f"longest {display.span(stats.maximum_ms)}")
        _figure("Wait, 95th", display.span(durations.wait_p95_ms), "from ready to start")


def _figure(label: str, value: str, below: str) -> None:
    st.metric(label, value, below, delta_color="off", delta_arrow="off", border=True, height="stretch")
