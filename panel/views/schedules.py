"""Schedules: all of them, their coming week, where they collide, their ledger; or the one in the address."""

from datetime import timedelta

import streamlit as st

from callboard.control.reads.ledger import WORDS, Wanted
from callboard.control.reads.sheets import MOST, schedules_sheet, slots_sheet
from callboard.core import display
from callboard.core.clock import utcnow
from callboard.panel import access, loaders
from callboard.panel.parts import heading, schedule_detail, schedule_table
from callboard.panel.parts.collisions import collisions
from callboard.panel.parts.heading import nothing
from callboard.panel.parts.ledger import disposition, ledger_table
from callboard.panel.parts.plain import shown
from callboard.panel.parts.schedule_dialogs import new_dialog
from callboard.panel.parts.taking import csv_button
from callboard.panel.parts.template_dialog import template_dialog
from callboard.panel.parts.week_calendar import calendar

viewer = access.require()
#: So many slots the ledger shows.
SHOWN = 500


def back() -> None:
    st.query_params.pop("schedule", None)


def one(schedule_id: str) -> None:
    found = next((each for each in loaders.schedules() if str(each.id) == schedule_id), None)
    st.button("All schedules", icon=":material/arrow_back:", type="tertiary", key="back", on_click=back)
    if found is None:
        nothing("event_busy", "There is no such schedule; it may have been deleted.", height=240)
        return
    st.set_page_config(page_title=f"{shown(found.name)} - Callboard")
    schedule_detail.head(found, viewer)

    left, right = st.columns([1, 3], gap="large")
    with left:
        schedule_detail.about(found)
        schedule_detail.explain(found.job, key="why_schedule")
    with right:
        schedule_detail.slots(found)


def everything() -> None:
    with heading.page("Schedules"):
        if viewer.may("schedules:edit"):
            with st.container(horizontal=True, width="content", gap="small"):
                if st.button("Templates", icon=":material/dashboard_customize:", key="schedule_templates"):
                    template_dialog(loaders.jobs(30))
                if st.button(
                    "Add", type="primary", icon=":material/more_time:", key="schedule_add", shortcut="Alt+A"
                ):
                    new_dialog(loaders.jobs(30))

    listed, week, clashes, ledger = st.tabs(
        ["Schedules", "Calendar", "Collisions", "Ledger"],
        key="schedules_tab",
        on_change="rerun",
        bind="query-params",
    )
    if listed.open:
        with listed:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                search = st.text_input("Search", type="search", key="q", live=True, bind="query-params",
                                       placeholder="Job, expression, zone", label_visibility="collapsed",
                                       width=280)  # fmt: skip
                status = st.segmented_control("Status", schedule_table.STATUSES, default="All", key="status",
                                              bind="query-params", required=True,
                                              label_visibility="collapsed")  # fmt: skip
            table(search or "", status or "All")
    if week.open:
        with week:
            calendar()
    if clashes.open:
        with clashes:
            collisions()
    if ledger.open:
        with ledger:
            with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
                names = [each.name for each in loaders.jobs(30)]
                job = st.selectbox(
                    "Job",
                    names,
                    index=None,
                    key="ledger_job",
                    bind="query-params",
                    placeholder="All jobs",
                    width=260,
                )
                chosen = st.multiselect(
                    "Became",
                    WORDS,
                    key="ledger_became",
                    bind="query-params",
                    placeholder="Anything",
                    format_func=lambda word: disposition(word).word,
                    width=320,
                )
                hours = heading.window_control("ledger_window", default="24 hours")
            if job:
                schedule_detail.explain(job, key="why_job")
            slots(job, tuple(chosen), hours)


@access.live("schedules", 5)
def table(search: str, status: str) -> None:
    if "schedule" in st.query_params:
        st.rerun()
    found = schedule_table.shown(loaders.schedules(), search=search, status=status)
    if found:
        schedule_table.schedule_table(found, key=f"schedules_{abs(hash((search, status)))}")
    else:
        nothing("search_off", "No schedule matches, or there is none yet.", height=240)
    ids = frozenset(each.id for each in found)
    with heading.foot(display.many(len(found), "schedule"), utcnow()):
        csv_button(
            "schedules",
            lambda context, _viewer: schedules_sheet(context, ids),
            key="schedules_csv",
            what="These schedules, with all that is set in each",
        )


@access.live("slots", 5)
def slots(job: str | None, became: tuple[str, ...], hours: int) -> None:
    since = utcnow().replace(second=0, microsecond=0) - timedelta(hours=hours)
    wanted = Wanted(job=job, dispositions=became or None, since=since)
    found = loaders.slots(wanted, SHOWN)
    if found:
        ledger_table(found, jobs=job is None, height=560)
    else:
        nothing("event_available", "No slot of that kind in this time.", height=240)
    more = f"the latest {SHOWN} slots" if len(found) >= SHOWN else display.many(len(found), "slot")
    with heading.foot(more, utcnow()):
        csv_button(
            "slots",
            lambda context, _viewer: slots_sheet(context, wanted),
            key="ledger_csv",
            what=f"What matches: the latest {MOST:,} slots at most",
        )


asked = st.query_params.get("schedule")
if asked:
    one(asked)
else:
    everything()
