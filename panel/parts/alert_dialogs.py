"""The dialogs that acknowledge an alert, and that silence alerts."""

from datetime import timedelta

import streamlit as st

from callboard.control.actions import alerts as actions
from callboard.control.reads.alerts import Alert
from callboard.core.clock import utcnow
from callboard.core.errors import CallboardError
from callboard.panel import access, loaders
from callboard.panel.home import context
from callboard.panel.parts import alert_looks, told
from callboard.panel.parts.plain import label, plain

LENGTHS = {
    "30 minutes": timedelta(minutes=30),
    "1 hour": timedelta(hours=1),
    "2 hours": timedelta(hours=2),
    "4 hours": timedelta(hours=4),
    "8 hours": timedelta(hours=8),
    "1 day": timedelta(days=1),
    "3 days": timedelta(days=3),
    "7 days": timedelta(days=7),
}
EVERY_KIND = "Every kind"


@st.dialog("Acknowledge", icon=":material/how_to_reg:")
def ack_dialog(alert: Alert) -> None:
    """Ask what is known of it."""
    plain(f"{alert_looks.kind_word(alert.kind)}: {alert.subject}", style="strong", lines=3)
    st.caption("It stays open until what it tells of is over. Nobody is reminded of it meanwhile.")
    note = st.text_input(
        "Note", key="ack_note", max_chars=actions.MAX_NOTE, placeholder="The partner will be back at 11"
    )
    if not st.button("Acknowledge", type="primary", key="ack_confirm", width="stretch", shortcut="Mod+Enter"):
        return
    try:
        actions.acknowledge(context(), access.require(), alert.id, note=note or "")
    except CallboardError as error:
        access.trouble(error)
        return
    loaders.forget()
    told.done("You see to it.")
    st.rerun()


@st.dialog("Silence alerts", icon=":material/notifications_off:")
def silence_dialog(alert: Alert | None = None) -> None:
    """Ask which alerts, how long, and why."""
    kind, subject = _scope_of(alert) if alert is not None else _scope()
    st.caption(
        "Such alerts are opened and shown here, but nobody is told of them. What is still open afterwards is"
        " told then."
    )
    length = st.selectbox("For", list(LENGTHS), index=2, key="silence_length")
    reason = st.text_input(
        "Why", key="silence_reason", max_chars=actions.MAX_NOTE, placeholder="Maintenance of the mail server"
    )
    if not st.button("Silence", type="primary", key="silence_confirm", width="stretch", shortcut="Mod+Enter"):
        return
    try:
        made = actions.silence(
            context(),
            access.require(),
            kind=kind,
            subject=subject,
            until=utcnow() + LENGTHS.get(str(length), LENGTHS["2 hours"]),
            reason=reason or "",
        )
    except CallboardError as error:
        access.trouble(error)
        return
    loaders.forget()
    told.done(f"Nobody is told of {made} for {length}.")
    st.rerun()


def _scope_of(alert: Alert) -> tuple[str | None, str | None]:
    word = alert_looks.kind_word(alert.kind)
    scopes: dict[str, tuple[str | None, str | None]] = {
        f"Only this: {word}, {alert.subject}": (alert.kind, alert.subject),
        f"Whatever is about {alert.subject}": (None, alert.subject),
        f"Every alert of its kind: {word}": (alert.kind, None),
        "All alerts": (None, None),
    }
    chosen = st.radio("Which", list(scopes), key="silence_scope", format_func=label)
    return scopes.get(str(chosen), (alert.kind, alert.subject))


def _scope() -> tuple[str | None, str | None]:
    known = sorted({*alert_looks.KINDS, *loaders.alert_kinds()}, key=alert_looks.kind_word)
    kind = st.selectbox(
        "Of which kind",
        [EVERY_KIND, *known],
        key="silence_kind",
        format_func=alert_looks.kind_word,
    )
    subject = st.text_input(
        "About",
        key="silence_subject",
        max_chars=actions.MAX_SUBJECT,
        placeholder="A job, queue or breaker; * stands for anything",
    )
    return (None if kind in (None, EVERY_KIND) else kind), subject or None
