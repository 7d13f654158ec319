"""Silences, one row each: of what nobody is told, until when, and a way to end that."""

from datetime import datetime

import streamlit as st

from callboard.control.actions import alerts as actions
from callboard.control.auth import Principal
from callboard.control.reads.silences import Silence
from callboard.core import display
from callboard.core.errors import CallboardError
from callboard.panel import access, loaders
from callboard.panel.home import context
from callboard.panel.parts import told
from callboard.panel.parts.plain import plain


def rows(silences: tuple[Silence, ...], viewer: Principal, now: datetime) -> None:
    """The silences, the latest first."""
    for silence in silences:
        over = silence.until_at <= now
        with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
            icon = ":gray[:material/notifications:]" if over else ":orange[:material/notifications_off:]"
            st.markdown(icon, width="content")
            with st.container(gap=None, width="stretch"):
                what = str(silence)
                plain(f"{what[0].upper()}{what[1:]}: {silence.reason}", lines=3)
                plain(_when(silence, now), style="quiet", lines=2, at=silence.until_at)
            if not over and viewer.may("alerts:manage"):
                st.button(
                    "End now",
                    icon=":material/notifications_active:",
                    key=f"silence_end_{silence.id}",
                    on_click=_end,
                    args=(silence.id,),
                )


def _when(silence: Silence, now: datetime) -> str:
    said = f"by {silence.created_by}, {display.distance(silence.created_at, now)}"
    if silence.ended_by is not None:
        return f"{said}; ended by {silence.ended_by} {display.distance(silence.until_at, now)}"
    if silence.until_at <= now:
        return f"{said}; over {display.distance(silence.until_at, now)}"
    if silence.from_at > now:
        said += f"; begins {display.distance(silence.from_at, now)}"
    return f"{said}; ends {display.distance(silence.until_at, now)}"


def _end(silence_id: int) -> None:
    try:
        done = actions.end_silence(context(), access.require(), silence_id)
    except CallboardError as error:
        told.refused(error)
        return
    loaders.forget()
    told.done(f"The silence of {done} is over.")
