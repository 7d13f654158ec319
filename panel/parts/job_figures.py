"""A job's figures over a window."""

import streamlit as st

from callboard.control.reads.durations import Durations
from callboard.control.reads.jobs import Job
from callboard.panel import words
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
            words.rate(stats.success_rate),
            mark.word,
            delta_color=mark.named,
            delta_arrow="off",
            border=True,
            height="stretch",
        )
        _figure("Executions", words.count(stats.executions), words.many(stats.retried, "retry", "retries"))
        _figure("Failures", words.count(stats.failures), words.many(stats.skipped, "skipped", "skipped"))
        _figure("Median", words.span(durations.p50_ms), f"average {words.span(stats.average_ms)}")
        _figure("95th percentile", words.span(p95_ms), f"longest {words.span(stats.maximum_ms)}")
        _figure("Wait, 95th", words.span(durations.wait_p95_ms), "from due to start")


def _figure(label: str, value: str, below: str) -> None:
    st.metric(label, value, below, delta_color="off", delta_arrow="off", border=True, height="stretch")
