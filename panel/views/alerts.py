"""Alerts: what is amiss, who sees to it, who is told; what was amiss; of what nobody is told."""

import streamlit as st

from callboard.control.reads.alerts import places, worst_first
from callboard.core.clock import utcnow
from callboard.core.wording import one_line
from callboard.panel import access, loaders
from callboard.panel.home import context
from callboard.panel.parts import alert_rows, heading, silence_rows
from callboard.panel.parts.alert_dialogs import silence_dialog
from callboard.panel.parts.alert_history import history
from callboard.panel.parts.heading import nothing, updated
from callboard.panel.parts.links import unname
from callboard.panel.parts.plain import plain

viewer = access.require()

with heading.page("Alerts"):
    if viewer.may("alerts:manage") and st.button(
        "Silence", icon=":material/notifications_off:", key="silence_any", shortcut="Alt+S"
    ):
        silence_dialog()


def alerting() -> bool:
    """Whether what is amiss opens alerts at all."""
    return context().settings.cron_enable_alert_notifications


@access.live("alerts", 4)
def open_ones() -> None:
    now = utcnow()
    found = worst_first(loaders.open_alerts())
    wanted = st.query_params.get("alert")
    if wanted is not None:
        st.button("All alerts", icon=":material/arrow_back:", type="tertiary", key="all_alerts",
                  on_click=unname, args=("alert",))  # fmt: skip
        found = [alert for alert in found if str(alert.id) == wanted]
        if not found:
            nothing("notifications", "That alert is over, or was never opened; see the history.", height=240)
    elif not found and not alerting():
        nothing(
            "notifications_off",
            "Alerts are switched off, so that none is opened: set CRON_ENABLE_ALERT_NOTIFICATIONS to True.",
            height=240,
        )
    elif not found:
        nothing("notifications", "Nothing is amiss. What will be is shown here until it is over.", height=240)
    free = next((alert.id for alert in found if alert.acknowledged_at is None), None)
    for alert in found:
        alert_rows.card(alert, viewer, now, first=alert.id == free)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="top"):
        with st.container(width="stretch"):
            plain(_told(), style="quiet", lines=3)
        updated(now)


@access.live("silences", 4)
def silences() -> None:
    found = loaders.silences(50)
    if found:
        silence_rows.rows(found, viewer, utcnow())
    else:
        nothing(
            "notifications_active",
            "Nothing is silenced. Silence alerts before a maintenance, and nobody is woken by it.",
            height=240,
        )


def _told() -> str:
    known, settings = places(context()), context().settings
    if not alerting():
        return "No alert is opened and nobody is told: CRON_ENABLE_ALERT_NOTIFICATIONS is off."
    if not known:
        return "Nobody is told of alerts: CALLBOARD_ALERT_URLS says whom to tell, by mail, chat or webhook."
    which = "critical alerts" if settings.callboard_alert_severity == "critical" else "alerts"
    return f"People are told of {which} at {one_line(', '.join(known), 300)}."


now_open, before, silenced = st.tabs(
    ["Open", "History", "Silences"], key="alerts_tab", on_change="rerun", bind="query-params"
)
if now_open.open:
    with now_open:
        open_ones()
if before.open:
    with before:
        history()
if silenced.open:
    with silenced:
        silences()
