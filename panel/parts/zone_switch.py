"""Whose clock the times of all pages go by: a switch between the browser's zone and UTC."""

import streamlit as st

from callboard.panel.parts.heading import IN_UTC, browser_zone, in_utc, viewer_zone
from callboard.panel.parts.plain import label


def zone_switch() -> None:
    """Put it on the page; nothing where the browser's own zone is UTC."""
    if browser_zone() == "UTC":
        return
    other = browser_zone() if in_utc() else "UTC"
    st.button(
        label(viewer_zone()),
        key="zone_switch",
        type="tertiary",
        icon=":material/schedule:",
        shortcut="Alt+Z",
        help=f"The zone of all times; a click, and they are in {label(other)}, in tables and charts as well",
        on_click=_turn,
    )


def _turn() -> None:
    st.session_state[IN_UTC] = not in_utc()
