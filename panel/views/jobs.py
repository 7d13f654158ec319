"""Jobs: all of them in a table, with filters, switches and Run now."""

import streamlit as st

from callboard.control.reads.jobs import categories
from callboard.control.reads.sheets import jobs_sheet
from callboard.core import display
from callboard.core.clock import utcnow
from callboard.panel import access, loaders
from callboard.panel.parts import heading, job_bulk, job_table
from callboard.panel.parts.heading import foot, nothing
from callboard.panel.parts.plain import label
from callboard.panel.parts.run_dialog import run_dialog
from callboard.panel.parts.switch import off_dialog
from callboard.panel.parts.taking import csv_button

viewer = access.require()
jobs = loaders.jobs(30)

with heading.page("Jobs"):
    status = st.segmented_control(
        "Status",
        job_table.STATUSES,
        default="All",
        key="status",
        bind="query-params",
        required=True,
        label_visibility="collapsed",
    )
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    search = st.text_input(
        "Search",
        type="search",
        key="q",
        live=True,
        bind="query-params",
        placeholder="Name, description, queue, schedule",
        label_visibility="collapsed",
        width=280,
    )
    category = st.pills(
        "Category",
        list(categories(jobs)),
        key="category",
        bind="query-params",
        label_visibility="collapsed",
        format_func=label,
    )

asked = st.session_state.pop(job_table.ASKED, None)
if asked is not None:
    what, name = asked
    if isinstance(name, tuple):
        job_bulk.bulk_dialog(what, name)
    elif what == "run":
        run_dialog(loaders.job(name, 30))
    elif what == "off":
        off_dialog(loaders.job(name, 30))


@access.live("jobs", 5)
def live(search: str, category: str | None, status: str) -> None:
    if job_table.ASKED in st.session_state:
        st.rerun()
    now = utcnow()
    unusual = {each.job for each in loaders.anomalies()} if status == "Unusual" else set()
    found = job_table.shown(
        loaders.jobs(30), search=search, category=category, status=status, unusual=unusual
    )
    actions = st.container()
    if found:
        key = job_table.key_of(found, search, category, status)
        choose = bool(job_bulk.allowed(viewer))
        chosen = job_table.table(found, loaders.trends(), viewer, key=key, choose=choose)
        if choose:
            with actions:
                job_bulk.bar(chosen, viewer)
    else:
        nothing("search_off", "No job matches. Clear the search or choose another filter.", height=240)
    names = frozenset(job.name for job in found)
    with foot(f"{display.many(len(found), 'job')}; success and health over 30 days, p95 over 14", now):
        csv_button(
            "jobs",
            lambda context, _viewer: jobs_sheet(context, names, days=30),
            key="jobs_csv",
            what="These jobs, with their schedules, options and figures of 30 days",
        )


live(search or "", category, status or "All")
