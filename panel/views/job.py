"""A job: figures, how it went over time, its schedules, its executions. The address names it: ?job=..."""

import streamlit as st

from callboard.control.reads.figure_sheets import outcomes_sheet
from callboard.control.reads.ledger import Wanted
from callboard.control.reads.sheets import MOST, executions_sheet, slots_sheet
from callboard.core.clock import utcnow
from callboard.core.errors import NotFound
from callboard.panel import access, loaders
from callboard.panel.charts import base
from callboard.panel.charts import outcomes as outcome_chart
from callboard.panel.parts import job_head
from callboard.panel.parts.anomaly_card import anomaly_card
from callboard.panel.parts.breaker_rows import breaker_card
from callboard.panel.parts.duration_card import duration_card
from callboard.panel.parts.executions import executions
from callboard.panel.parts.heading import card_title, days_of, nothing, updated, window_control, window_word
from callboard.panel.parts.job_figures import job_figures
from callboard.panel.parts.ledger import ledger_table
from callboard.panel.parts.open_alerts import open_alerts
from callboard.panel.parts.people import audit_of
from callboard.panel.parts.plain import shown
from callboard.panel.parts.running import running_banner
from callboard.panel.parts.schedule_detail import explain
from callboard.panel.parts.schedules import ASKED, open_asked, schedules
from callboard.panel.parts.taking import csv_button

viewer = access.require()
name = st.query_params.get("job", "")
try:
    job = loaders.job(name, 30)
except NotFound as error:
    access.trouble(error)
    st.page_link("views/jobs.py", label="All jobs", icon=":material/arrow_back:")
    st.stop()

st.set_page_config(page_title=f"{shown(job.name)} - Callboard")
top = st.container()
hours = window_control()
with top:
    job_head.head(job, viewer, days_of(hours))
open_alerts(job=job.name)
running_banner(job.name)
open_asked(job)


@access.live("job", 5)
def live(name: str, hours: int) -> None:
    job = loaders.job(name, days_of(hours))
    outcomes, durations = loaders.outcomes(hours, name), loaders.durations(hours, name)
    anomaly_card([each for each in loaders.anomalies() if each.job == name], utcnow())
    breaker_card(job, access.require())
    job_figures(job, durations)
    left, right = st.columns(2, gap="small")
    with left.container(border=True, height="stretch"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            card_title("Executions", f"per {outcome_chart.width_word(outcomes)}")
            csv_button(
                "outcomes",
                lambda context, _viewer: outcomes_sheet(context, hours=hours, job=name),
                key="outcomes_csv",
                what="The figures of each bar",
            )
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
    if ASKED in st.session_state:
        st.rerun()
    names = ["Executions", "Slots", "Schedule and options"]
    audited = access.require().may("audit:view")
    history, ledger, about, *trail = st.tabs(
        [*names, "Audit"] if audited else names, key="job_tab", on_change="rerun", bind="query-params"
    )
    if history.open:
        with history:
            runs = loaders.history(name, days_of(hours), 200)
            if runs:
                executions(runs)
                csv_button(
                    "executions",
                    lambda context, _viewer: executions_sheet(context, name, days=days_of(hours)),
                    key="executions_csv",
                    what=f"The executions of the last {window_word(hours)}: the latest 1,000 at most",
                )
            else:
                nothing(
                    "history",
                    f"No run in the last {window_word(hours)}. Press Run now, or choose a longer window.",
                )
    if ledger.open:
        with ledger:
            explain(name, key="why_slot")
            slots = loaders.ledger(name, 200)
            if slots:
                ledger_table(slots)
                csv_button(
                    "slots",
                    lambda context, _viewer: slots_sheet(context, Wanted(job=name)),
                    key="slots_csv",
                    what=f"Each time that it was due: the latest {MOST:,} at most",
                )
            else:
                nothing("event_busy", "It was never due: it has no schedule, or none has fallen due yet.")
    if about.open:
        with about:
            job = loaders.job(name, 30)
            left, right = st.columns([3, 4], gap="large")
            with left:
                schedules(job, utcnow(), access.require())
            with right:
                job_head.options(job)
    for tab in trail:
        if tab.open:
            with tab:
                audit_of(name)
    updated(utcnow())


live(job.name, hours)
tables(job.name, hours)
