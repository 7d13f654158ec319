"""Jobs: all of them in a table, with filters, switches and Run now."""

import streamlit as st

from callboard.control.reads.jobs import categories
from callboard.core import display
from callboard.core.clock import utcnow
from callboard.panel import access, loaders
from callboard.panel.parts import heading, job_table
from callboard.panel.parts.heading import nothing, updated
from callboard.panel.parts.plain import label
from callboard.panel.parts.run_dialog import run_dialog
from callboard.panel.parts.switch import off_dialog
from callboard.panel.parts.told import tell

viewer = access.require()
jobs = loaders.jobs(30)
counts = categories(jobs)

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
tell()
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
        list(counts),
        key="category",
        bind="query-params",
        label_visibility="collapsed",
        format_func=lambda name: f"{label(name)} {counts.get(name, 0)}",
    )

asked = st.session_state.pop(job_table.ASKED, None)
if asked is not None:
    what, name = asked
    job = loaders.job(name, 30)
    if what == "run":
        run_dialog(job)
    elif what == "off":
        off_dialog(job)


@access.live("jobs", 5)
def live(search: str, category: str | None, status: str) -> None:
    if job_table.ASKED in st.session_state:
        st.rerun()
    now = utcnow()
    found = job_table.shown(loaders.jobs(30), search=search, category=category, status=status)
    if found:
        key = f"jobs_{abs(hash((search, category, status)))}"
        job_table.table(found, loaders.trends(), viewer, key=key)
    else:
        nothing("search_off", "No job matches. Clear the search or choose another filter.", height=240)
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.caption(
            f"{display.many(len(found), 'job')}; success and health over 30 days, p95 over 14",
            width="content",
        )
        updated(now)


live(search or "", category, status or "All")
