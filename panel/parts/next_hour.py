"""The next hour: what runs now and what is to come, each as long as it usually takes."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import streamlit as st

from callboard.control.reads.durations import Trend
from callboard.control.reads.jobs import Job
from callboard.control.reads.next_hour import expected
from callboard.control.reads.runs import Run
from callboard.core.display import many
from callboard.panel.charts import base, gantt
from callboard.panel.parts.heading import card_title, nothing, viewer_zone

BEFORE, AFTER = timedelta(minutes=5), timedelta(minutes=60)
#: So many jobs have a row; the others are counted.
ROWS = 14


def next_hour(
    jobs: Sequence[Job], running: Sequence[Run], trends: Mapping[str, Trend], now: datetime
) -> None:
    """Put the chart on the page: the jobs under way first, then as they come."""
    found = expected(jobs, running, trends, now, now + AFTER)
    names = list(dict.fromkeys(each.job for each in found))
    shown = set(names[:ROWS])
    card_title("The next hour", f"as long as runs usually take; times in {viewer_zone()}")
    if not names:
        nothing("event_busy", "Nothing runs, and nothing is due within the hour.", height=120)
        return
    rows = [each for each in found if each.job in shown]
    base.draw(
        gantt.frame(rows, now - BEFORE, now, now + AFTER),
        gantt.spec(len(shown)),
        key="next_hour",
        alt="What runs now and what is due within the hour, one row a job",
    )
    if len(names) > ROWS:
        st.caption(f"and {many(len(names) - ROWS, 'more job')} within the hour")
