"""A job: figures, how it went over time, its schedules, its executions. The address names it: ?job=..."""

import streamlit as st

from callboard.core.clock import utcnow
from callboard.core.errors import NotFound
from callboard.panel import access, loaders
from callboard.panel.charts import base
from callboard.panel.charts import outcomes as outcome_chart
from callboard.panel.parts import job_head
from callboard.panel.parts.duration_card import duration_card
from callboard.panel.parts.executions import executions
from callboard.panel.parts.heading import card_title, days_of, nothing, updated, window_control, window_word
from callboard.panel.parts.job_figures import job_figures
from callboard.panel.parts.ledger import ledger_table
from callboard.panel.parts.running import running_banner
from callboard.panel.parts.schedules import schedules
from callboard.panel.parts.told import tell

viewer = access.require()
name = st.query_params.get("job", "")
try:
    job = loaders.job(name, 30)
except NotFound as error:
    access.trouble(error)
    st.page_link("views/jobs.py", label="All jobs", icon=":material/arrow_back:")
    st.stop()

st.set_page_config(page_title=f"{job.name} - Callboard")
top = st.container()
tell()
hours = window_control()
with top:
    job_head.head(job, viewer, days_of(hours))
running_banner(job.name)


@access.live("job", 5)
def live(name: str, hours: int) -> None:
    job = loaders.job(name, days_of(hours))
    outcomes, durations = loaders.outcomes(hours, None, name), loaders.durations(hours, name)
    job_figures(job, durations)
    left, right = st.columns(2, gap="small")
    with left.container(border=True, height="stretch"):
        card_title("Executions", f"per {outcome_chart.width_word(outcomes)}")
        if outcome_chart.empty(outcomes):
            nothing("bar_chart", f"Nothing ended in the last {window_word(hours)}.", height=232)
        else:
            spec = outcome_chart.spec(outcome_chart.present(outcomes), hours)
            base.draw(
                outcome_chart.frame(outcomes), spec, key="timeline", alt="Executions of this job over time"
            )
    with right.container(border=True, height="stretch"):
        duration_card(job, hours)


@access.live("tables", 5)
def tables(name: str, hours: int) -> None:
    history, ledger, about = st.tabs(
        ["Executions", "Slots", "Schedule and options"], key="job_tab", on_change="rerun"
    )
    if history.open:
        with history:
            runs = loaders.history(name, days_of(hours), 200)
            if runs:
                executions(runs)
            else:
                nothing(
                    "history",
                    f"No run in the last {window_word(hours)}. Press Run now, or choose a longer window.",
                )
    if ledger.open:
        with ledger:
            slots = loaders.ledger(name, 200)
            if slots:
                ledger_table(slots)
            else:
                nothing("event_busy", "It was never due: it has no schedule, or none has fallen due yet.")
    if about.open:
        with about:
            job = loaders.job(name, 30)
            left, right = st.columns([3, 4], gap="large")
            with left:
                schedules(job.schedules, utcnow(), enabled=job.enabled)
            with right:
                job_head.options(job)
    updated(utcnow())


live(job.name, hours)
tables(job.name, hours)
