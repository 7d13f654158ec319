"""Switching a job on or off."""

import streamlit as st

from callboard.control.actions.switches import set_enabled
from callboard.control.reads.jobs import Job
from callboard.core.errors import CallboardError
from callboard.panel import access, loaders
from callboard.panel.home import context
from callboard.panel.parts import told
from callboard.panel.parts.plain import plain


def switch(name: str, *, enabled: bool, notes: str | None = None) -> None:
    """Switch a job and remember what to say about it. Raises CallboardError when it may not be."""
    set_enabled(context(), access.require(), name, enabled, notes=notes)
    loaders.forget()
    told.done(f"{name} is switched {'on' if enabled else 'off'}.")


@st.dialog("Switch off", icon=":material/toggle_off:")
def off_dialog(job: Job) -> None:
    """Ask whether to switch the job off, and why."""
    plain(job.name, style="strong")
    st.caption(
        "It will not run on its schedules or by hand until it is switched on. A run under way goes on."
    )
    notes = st.text_input(
        "Why", value=job.notes or "", key=f"why_{job.name}", placeholder="For whoever finds it off"
    )
    if not st.button("Switch off", type="primary", key="off_confirm", width="stretch", shortcut="Mod+Enter"):
        return
    try:
        switch(job.name, enabled=False, notes=notes)
    except CallboardError as error:
        access.trouble(error)
        return
    st.rerun()


def on_now(name: str) -> None:
    """Switch a job on; from a callback, so a refusal is kept for the page to show."""
    try:
        switch(name, enabled=True)
    except CallboardError as error:
        told.refused(error)
