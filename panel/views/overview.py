"""Overview: how it goes, what runs, what failed, what is next."""

import streamlit as st

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
from callboard.panel.parts.running import running_banner
from callboard.panel.parts.upcoming import next_runs

with page("Overview"):
    hours = window_control()

running_banner()


@access.live("overview", 5)
def live(hours: int) -> None:
    days, now = days_of(hours), utcnow()
    jobs = loaders.jobs(days)
    outcomes = loaders.outcomes(hours)
    with_before = loaders.outcomes(2 * hours, outcomes.width_s)
    figures(summarise(jobs, days=days), jobs, with_before.buckets, length=len(outcomes.buckets))
    wide, narrow = st.columns([3, 2], gap="small")
    with wide.container(border=True, height="stretch"):
        card_title("Outcomes", f"runs per {outcome_chart.width_word(outcomes)}")
        if outcome_chart.empty(outcomes):
            nothing(
                "bar_chart", "Nothing ended in this window. Choose a longer one, or run a job.", height=220
            )
        else:
            spec = outcome_chart.spec(outcome_chart.present(outcomes), hours)
            base.draw(outcome_chart.frame(outcomes), spec, key="outcomes", alt="Outcomes of runs over time")
    with narrow.container(border=True, height="stretch"):
        attention(jobs)
    wide, narrow = st.columns([3, 2], gap="small")
    with wide.container(border=True, height="stretch", key="failures_card"):
        recent_failures(loaders.failures(hours, 20), window_word(hours))
    with narrow.container(border=True, height="stretch"):
        next_runs(jobs, now)
    updated(now)


live(hours)
