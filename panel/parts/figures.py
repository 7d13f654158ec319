"""The figures above everything else: the jobs, and how their runs went against the time before."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from callboard.control.marks import success_rate
from callboard.control.reads.jobs import Job
from callboard.control.reads.summary import Summary
from callboard.control.reads.trends import OutcomeBucket
from callboard.core import display
from callboard.panel.palette import MARKS


def figures(summary: Summary, jobs: Sequence[Job], buckets: Sequence[OutcomeBucket], *, length: int) -> None:
    """Put the six figures of the summary on the page.

    `buckets` end with the present; the last `length` of them are the window, those before it what it is
    compared with.
    """
    fleet, runs = st.columns([4, 6], gap="small")
    with fleet.container(border=True, height="stretch", key="fleet"):
        with st.grid(4, min_column_width=58, gap="small"):
            st.metric("Jobs", summary.total_jobs)
            st.metric("Switched on", summary.enabled_jobs)
            st.metric("Running now", summary.running_jobs)
            st.metric("Waiting", sum(job.pending for job in jobs))
        st.caption(f"Jobs by their success rate over {display.many(summary.days, 'day')}")
        marks(jobs, summary.disabled_jobs)
    # The last bucket is not over yet: its bar would always look like a slump.
    past, window = buckets[:-length], buckets[-length:-1] or buckets[-length:]
    before, now = tally(past), tally(buckets[-length:])
    with runs, st.grid(3, min_column_width=150, gap="small", key="counts"):
        st.metric(
            "Executions",
            display.count(summary.total_executions),
            change(now.ended, before.ended),
            delta_color="blue",
            border=True,
            height="stretch",
            chart_data=[tally([bucket]).ended for bucket in window],
            chart_type="area",
        )
        st.metric(
            "Failures",
            display.count(summary.total_failures),
            change(now.failed, before.failed),
            delta_color="red" if now.failed else "gray",
            border=True,
            height="stretch",
            chart_data=[tally([bucket]).failed for bucket in window],
            chart_type="bar",
        )
        rates = [tally([bucket]).rate for bucket in window]
        st.metric(
            "Success rate",
            display.rate(summary.overall_success_rate),
            points(now.rate, before.rate),
            border=True,
            height="stretch",
            chart_data=[rate for rate in rates if rate is not None] or None,
            chart_type="line",
        )


def marks(jobs: Sequence[Job], off: int) -> None:
    """How many jobs are in which state of health, as badges."""
    counts = Counter(job.stats.mark for job in jobs if job.enabled)
    with st.container(horizontal=True, gap="xsmall"):
        for mark, look in MARKS.items():
            if counts[mark]:
                said = "without runs" if mark == "none" else look.word.lower()
                st.badge(f"{counts[mark]} {said}", icon=look.icon, color=look.named)
        if off:
            st.badge(f"{off} off", icon=":material/toggle_off:", color="gray")


@dataclass(frozen=True, slots=True)
class Tally:
    """What ended in some buckets."""

    ended: int
    failed: int

    @property
    def rate(self) -> float | None:
        return success_rate(self.ended - self.failed, self.failed)


def tally(buckets: Sequence[OutcomeBucket]) -> Tally:
    """The sum of some buckets; what was skipped or cancelled need not have run, and is not counted."""
    failed = sum(bucket.failed + bucket.dead for bucket in buckets)
    return Tally(ended=failed + sum(bucket.succeeded for bucket in buckets), failed=failed)


def change(now: int, before: int) -> str | int | None:
    """A number against the one before: in per cent, or as it was where there is nothing to divide by."""
    if now == before:
        return 0
    if not before:
        return f"+{display.count(now)}"
    per_cent = 100 * (now - before) / before
    if abs(per_cent) < 0.5:
        return 0
    return f"{per_cent:+.0f}%" if abs(per_cent) < 1_000 else f"x {now / before:.0f}"


def points(now: float | None, before: float | None) -> str | int | None:
    """A rate against the one before, in points of a per cent."""
    if now is None or before is None:
        return None
    return f"{now - before:+.1f} points" if abs(now - before) >= 0.05 else 0
