"""The six figures above everything else."""

import streamlit as st

from callboard.control.reads.summary import Summary
from callboard.control.reads.trends import OutcomeBucket, Outcomes
from callboard.panel import words
from callboard.panel.palette import MARKS


def figures(summary: Summary, outcomes: Outcomes) -> None:
    """Put the six figures of the summary side by side, those that have a past with their sparkline."""
    # The last bucket is not over yet: its bar would always look like a slump.
    buckets = outcomes.buckets[:-1] or outcomes.buckets
    ended = [_ended(bucket) for bucket in buckets]
    failed = [bucket.failed + bucket.dead + bucket.cancelled for bucket in buckets]
    rates = [100 * (1 - bad / all_) if all_ else None for bad, all_ in zip(failed, ended, strict=True)]
    mark = MARKS[summary.mark]
    with st.grid(6, min_column_width=150, gap="small"):
        st.metric("Jobs", summary.total_jobs, border=True, height="stretch", **_sub("declared by the code"))
        st.metric(
            "Switched on",
            summary.enabled_jobs,
            border=True,
            height="stretch",
            **_sub(f"{summary.disabled_jobs} switched off"),
        )
        st.metric(
            "Running now",
            summary.running_jobs,
            border=True,
            height="stretch",
            **_sub(words.many(sum(bucket.started for bucket in outcomes.buckets[-1:]), "start") + " in this bucket"),
        )
        st.metric(
            "Executions",
            words.count(summary.total_executions),
            border=True,
            height="stretch",
            chart_data=ended,
            chart_type="bar",
            delta_color="blue",
        )
        st.metric(
            "Failures",
            words.count(summary.total_failures),
            border=True,
            height="stretch",
            chart_data=failed,
            chart_type="bar",
            delta_color="red",
        )
        st.metric(
            "Success rate",
            words.rate(summary.overall_success_rate),
            border=True,
            height="stretch",
            chart_data=[each for each in rates if each is not None] or None,
            chart_type="line",
            delta_color=mark.named,
        )


def _sub(text: str) -> dict[str, object]:
    return {"delta": text, "delta_color": "off", "delta_arrow": "off"}


def _ended(bucket: OutcomeBucket) -> int:
    return bucket.succeeded + bucket.failed + bucket.dead + bucket.cancelled
