"""Overview: how it goes, what runs, what failed, what is next."""

import streamlit as st

from callboard.control.reads.figure_sheets import outcomes_sheet
from callboard.control.reads.summary import summarise
from callboard.core.clock import utcnow
from callboard.panel import access, loaders
from callboard.panel.charts import base
from callboard.panel.charts import outcomes as outcome_chart
from callboard.panel.parts.failures import attention, recent_failures
from callboard.panel.parts.figures import figures
from callboard.panel.parts.heading import (
    card_title,
    days_of,
    nothing,
    page,
    updated,
    window_control,
    window_word,
)
from callboard.panel.parts.health_tiles import health_row
from callboard.panel.parts.next_hour import next_hour
from callboard.panel.parts.open_alerts import open_alerts
from callboard.panel.parts.running import running_banner
from callboard.panel.parts.taking import csv_button
from callboard.panel.parts.upcoming import next_runs

with page("Overview"):
    hours = window_control()

open_alerts()
running_banner()


@access.live("overview", 5)
def live(hours: int) -> None:
    days, now = days_of(hours), utcnow()
    jobs = loaders.jobs(days)
    outcomes, with_before = loaders.compared(hours)
    figures(summarise(jobs, days=days), jobs, with_before.buckets, length=len(outcomes.buckets))
    health_row()
    wide, narrow = st.columns([3, 2], gap="small")
    with wide.container(border=True, height="stretch"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            card_title("Outcomes", f"runs per {outcome_chart.width_word(outcomes)}")
            csv_button(
                "outcomes",
                lambda context, _viewer: outcomes_sheet(context, hours=hours),
                key="outcomes_csv",
                what="The figures of each bar",
            )
        if outcome_chart.empty(outcomes):
            nothing(
                "bar_chart", "Nothing ended in this window. Choose a longer one, or run a job.", height=220
            )
        else:
            spec = outcome_chart.spec(outcome_chart.present(outcomes), hours)
            base.draw(outcome_chart.frame(outcomes), spec, key="outcomes", alt="Outcomes of runs over time")
    with narrow.container(border=True, height="stretch"):
        attention(jobs)
    with st.container(border=True):
        next_hour(jobs, loaders.running(), loaders.trends(), now)
    wide, narrow = st.columns([3, 2], gap="small")
    with wide.container(border=True, height="stretch", key="failures_card"):
        recent_failures(loaders.failures(hours, 20), window_word(hours))
    with narrow.container(border=True, height="stretch"):
        next_runs(jobs, now)
    updated(now)


live(hours)
