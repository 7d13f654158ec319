"""Alerts that were, page by page, and as a file."""

from collections.abc import Sequence

import streamlit as st
from pandas import DataFrame

from callboard.control.reads.alerts import Alert
from callboard.control.reads.sheets import MOST, alerts_sheet
from callboard.core import display
from callboard.core.errors import BadInput
from callboard.panel import access, loaders
from callboard.panel.parts import alert_looks, tables
from callboard.panel.parts.heading import nothing
from callboard.panel.parts.links import name, unname
from callboard.panel.parts.taking import csv_button

PAGE = 100
EVERY_KIND = "Every kind"


def history() -> None:
    """The filter, the table of one page, and ways to the others."""
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        kind = st.selectbox(
            "Kind",
            [EVERY_KIND, *loaders.alert_kinds()],
            key="alert_kind",
            bind="query-params",
            format_func=alert_looks.kind_word,
            label_visibility="collapsed",
            required=True,
            width=240,
        )
        wanted = None if kind in (None, EVERY_KIND) else kind
        if st.session_state.setdefault("alerts_of", wanted) != wanted:
            st.session_state["alerts_of"] = wanted
            unname("cursor")
        cursor = st.query_params.get("cursor")
        try:
            found, following = loaders.alert_history(wanted, cursor, PAGE)
        except BadInput as error:
            access.trouble(error)
            found, following = (), None
        if found:
            csv_button(
                "alerts",
                lambda context, _viewer: alerts_sheet(context, wanted),
                key="alerts_csv",
                what=f"All of that kind: the latest {MOST:,} at most",
            )
    if found:
        _table(found)
    else:
        nothing("notifications", "No alert of that kind was ever opened.", height=240)
    with st.container(horizontal=True, gap="small"):
        if cursor:
            st.button("Latest", key="alerts_latest", on_click=unname, args=("cursor",))
        if following:
            st.button("Earlier", key="alerts_earlier", on_click=name, kwargs={"cursor": following})


def _table(found: Sequence[Alert]) -> None:
    looks = [alert_looks.severity(alert.severity) for alert in found]
    frame = DataFrame(
        {
            "opened": [alert.opened_at for alert in found],
            "lasted": [_lasted(alert) for alert in found],
            "severity": [[look.word] for look in looks],
            "kind": [alert_looks.kind_word(alert.kind) for alert in found],
            "subject": [alert.subject for alert in found],
            "seen": [_seen(alert) for alert in found],
            "message": [" ".join(alert.message.split()) for alert in found],
        }
    )
    tables.table(
        frame,
        key="alert_history",
        hide_index=True,
        height=480 if len(found) > 12 else "content",
        alt="Alerts, the latest first",
        column_config={
            "opened": tables.moments("Opened", width=140),
            "lasted": st.column_config.TextColumn("Lasted", width=96),
            "severity": tables.badges("Severity", looks, width=84),
            "kind": st.column_config.TextColumn("Kind", width=150),
            "subject": st.column_config.TextColumn("About", width=170),
            "seen": st.column_config.TextColumn("Seen to", width=150),
            "message": st.column_config.TextColumn("Message", width="large"),
        },
    )


def _lasted(alert: Alert) -> str:
    if alert.resolved_at is None:
        return "open"
    return display.span((alert.resolved_at - alert.opened_at).total_seconds() * 1000)


def _seen(alert: Alert) -> str:
    if alert.acknowledged_by is not None:
        return f"by {alert.acknowledged_by}" + (f": {alert.ack_note}" if alert.ack_note else "")
    return "silenced" if alert.silenced_until is not None else ""
