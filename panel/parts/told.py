"""What came of the last action, said once, on the next run of the page."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from callboard.core.errors import CallboardError
from callboard.panel import access
from callboard.panel.parts.links import open_run
from callboard.panel.parts.plain import plain, shown

#: Of several outcomes, so many are shown without scrolling.
SHOWN = 8


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an action on one of several things."""

    name: str
    said: str
    done: bool


def done(sentence: str, run_id: str | None = None) -> None:
    """Remember to say that something was done, with a way to the run that it made."""
    st.session_state[access.TOLD] = (sentence, run_id)


def refused(error: CallboardError) -> None:
    """Remember to say that something was refused."""
    st.session_state[access.TOLD] = error


def several(outcomes: Sequence[Outcome]) -> None:
    """Remember to say what came of each of several."""
    st.session_state[access.TOLD] = list(outcomes)


def tell() -> None:
    """Say it."""
    told = st.session_state.pop(access.TOLD, None)
    if isinstance(told, CallboardError):
        access.trouble(told)
    elif isinstance(told, list):
        with st.container(
            border=True, key="told", gap="xsmall", height=250 if len(told) > SHOWN else "content"
        ):
            for outcome in told:
                _outcome(outcome)
    elif told is not None:
        sentence, run_id = told
        with st.container(border=True, horizontal=True, vertical_alignment="center", key="told"):
            st.markdown(":green[:material/check_circle:]", width="content")
            st.text(shown(sentence), width="stretch")
            if run_id:
                st.button("Open the run", key="told_open", type="tertiary", on_click=open_run, args=(run_id,))


def _outcome(outcome: Outcome) -> None:
    icon = ":green[:material/check_circle:]" if outcome.done else ":red[:material/error:]"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(icon, width="content")
        with st.container(width="content"):
            plain(outcome.name, style="strong")
        with st.container(width="stretch"):
            plain(outcome.said)
