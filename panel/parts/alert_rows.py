"""Open alerts, one card each: what is amiss, since when, who sees to it, and what can be done."""

from datetime import datetime

import streamlit as st

from callboard.control.actions import alerts as actions
from callboard.control.auth import Principal
from callboard.control.reads.alerts import Alert
from callboard.core import display
from callboard.core.errors import CallboardError
from callboard.panel import access, loaders
from callboard.panel.home import context
from callboard.panel.parts import alert_looks, told
from callboard.panel.parts.alert_dialogs import ack_dialog, silence_dialog
from callboard.panel.parts.links import name
from callboard.panel.parts.plain import plain


def card(alert: Alert, viewer: Principal, now: datetime, *, first: bool = False) -> None:
    """One alert; that of the `first` that nobody has acknowledged answers to a key."""
    look = alert_looks.severity(alert.severity)
    with st.container(border=True, key=f"alert_{alert.id}", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(look.word, icon=look.icon, color=look.named)
            with st.container(width="stretch"):
                plain(f"{alert_looks.kind_word(alert.kind)}: {alert.subject}", style="strong", lines=2)
            said = f"opened {display.distance(alert.opened_at, now)}"
            plain(said, style="quiet", at=alert.opened_at, width="content")
            st.button(
                "",
                icon=":material/link:",
                key=f"alert_link_{alert.id}",
                type="tertiary",
                help="Show this one alone; the address then names it",
                on_click=name,
                kwargs={"alert": str(alert.id)},
            )
        words, buttons = st.columns([3, 2], vertical_alignment="center", gap="medium")
        with words:
            plain(alert.message, lines=4)
            _state(alert, now)
        with buttons:
            _buttons(alert, viewer, first=first)


def _state(alert: Alert, now: datetime) -> None:
    """Who has taken it on, until when it is silenced, who was told."""
    if alert.acknowledged_at is not None:
        note = f": {alert.ack_note}" if alert.ack_note else ""
        when = display.distance(alert.acknowledged_at, now)
        _line(
            "how_to_reg",
            "green",
            f"Acknowledged by {alert.acknowledged_by} {when}{note}",
            alert.acknowledged_at,
        )
    if alert.silenced_until is not None:
        until = display.distance(alert.silenced_until, now)
        _line(
            "notifications_off",
            "gray",
            f"Silenced, to end {until}: {alert.silence_reason}",
            alert.silenced_until,
        )
    if alert.trouble is not None:
        _line("sms_failed", "orange", f"Could not be told everywhere: {alert.trouble}")
    elif alert.told_at is not None:
        _line(
            "mark_chat_read",
            "gray",
            f"People were told {display.distance(alert.told_at, now)}",
            alert.told_at,
        )


def _line(icon: str, colour: str, sentence: str, at: datetime | None = None) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown(f":{colour}[:material/{icon}:]", width="content")
        with st.container(width="stretch"):
            plain(sentence, style="quiet", lines=3, at=at)


def _buttons(alert: Alert, viewer: Principal, *, first: bool) -> None:
    there = alert_looks.where(alert)
    manages = viewer.may("alerts:manage", alert.job)
    if there is None and not manages:
        return
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        if there is not None:
            said, icon = there
            st.button(said, icon=icon, key=f"alert_go_{alert.id}", on_click=alert_looks.go, args=(alert,))
        if manages and alert.acknowledged_at is None:
            if st.button(
                "Acknowledge",
                icon=":material/how_to_reg:",
                key=f"alert_ack_{alert.id}",
                shortcut="Alt+K" if first else None,
            ):
                ack_dialog(alert)
        elif manages:
            st.button(
                "Take back",
                icon=":material/undo:",
                key=f"alert_unack_{alert.id}",
                on_click=_take_back,
                args=(alert.id,),
            )
        may_silence = viewer.may("alerts:manage") and alert.silenced_until is None
        if may_silence and st.button(
            "Silence", icon=":material/notifications_off:", key=f"alert_silence_{alert.id}"
        ):
            silence_dialog(alert)


def _take_back(alert_id: int) -> None:
    try:
        actions.unacknowledge(context(), access.require(), alert_id)
    except CallboardError as error:
        told.refused(error)
        return
    loaders.forget()
    told.done("Nobody sees to it any more.")
