"""What came of the last action, said once, on the next run of the page."""

import streamlit as st

from callboard.core.errors import CallboardError
from callboard.panel import access
from callboard.panel.parts.links import open_run


def done(sentence: str, run_id: str | None = None) -> None:
    """Remember to say that something was done, with a way to the run that it made."""
    st.session_state["told"] = (sentence, run_id)


def refused(error: CallboardError) -> None:
    """Remember to say that something was refused."""
    st.session_state["told"] = error


def tell() -> None:
    """Say it."""
    told = st.session_state.pop("told", None)
    if isinstance(told, CallboardError):
        access.trouble(told)
    elif told is not None:
        sentence, run_id = told
        with st.container(border=True, horizontal=True, vertical_alignment="center", key="told"):
            st.markdown(":green[:material/check_circle:]", width="content")
            st.text(sentence, width="stretch")
            if run_id:
                st.button("Open the run", key="told_open", type="tertiary", on_click=open_run, args=(run_id,))
