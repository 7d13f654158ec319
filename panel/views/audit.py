"""Audit: who did what, from where, and what it changed. For admins."""

import streamlit as st

from callboard.control.audit import page
from callboard.panel import access
from callboard.panel.home import context
from callboard.panel.parts import heading
from callboard.panel.parts.heading import nothing
from callboard.panel.parts.people import audit_table

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
if st.session_state.get("audit_of") != about:
    st.session_state["audit_of"], st.session_state["audit_cursor"] = about, None
found, following = page(
    context(), viewer, limit=LIMIT, cursor=st.session_state["audit_cursor"], target=about or None
)
if found:
    audit_table(found)
else:
    nothing("history", "Nothing of the kind was done or refused.", height=240)
with st.container(horizontal=True, gap="small"):
    if st.session_state["audit_cursor"] and st.button("Latest", key="audit_latest"):
        st.session_state["audit_cursor"] = None
        st.rerun()
    if following and st.button("Earlier", key="audit_earlier"):
        st.session_state["audit_cursor"] = following
        st.rerun()
