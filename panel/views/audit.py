"""Audit: who did what, from where, and what it changed. For admins."""

import streamlit as st

from callboard.control.audit import page
from callboard.control.reads.sheets import MOST, audit_sheet
from callboard.core.errors import BadInput
from callboard.panel import access
from callboard.panel.home import context
from callboard.panel.parts import heading
from callboard.panel.parts.heading import nothing
from callboard.panel.parts.links import name, unname
from callboard.panel.parts.people import audit_table
from callboard.panel.parts.taking import csv_button

viewer = access.require()
LIMIT = 100

with heading.page("Audit"):
    about = st.text_input(
        "About",
        type="search",
        key="target",
        bind="query-params",
        placeholder="Job, user or token",
        label_visibility="collapsed",
        width=280,
    )
if st.session_state.setdefault("audit_of", about) != about:
    st.session_state["audit_of"] = about
    unname("cursor")
cursor = st.query_params.get("cursor")
try:
    found, following = page(context(), viewer, limit=LIMIT, cursor=cursor, target=about or None)
except BadInput as error:
    access.trouble(error)
    found, following = (), None
if found:
    audit_table(found)
else:
    nothing("history", "Nothing of the kind was done or refused.", height=240)
with st.container(horizontal=True, gap="small"):
    csv_button(
        "audit",
        lambda context, viewer: audit_sheet(context, viewer, about or None),
        key="audit_csv",
        what=f"All of it: the latest {MOST:,} at most",
        permission="audit:view",
    )
    if cursor:
        st.button("Latest", key="audit_latest", on_click=unname, args=("cursor",))
    if following:
        st.button("Earlier", key="audit_earlier", on_click=name, kwargs={"cursor": following})
