"""The open alerts in short, for the top of a page; nothing where none is open."""

import streamlit as st

from callboard.control.reads.alerts import Alert, worst_first
from callboard.core import display
from callboard.core.clock import utcnow
from callboard.panel import access, loaders
from callboard.panel.parts import alert_looks
from callboard.panel.parts.links import leave
from callboard.panel.parts.plain import plain

#: More than these are counted, not listed.
LISTED = 3


@access.live("open_alerts", 5)
def open_alerts(job: str | None = None, queue: str | None = None) -> None:
    """Those that nobody has taken on or silenced, the worst first; those of a job or a queue alone."""
    found = [
        each
        for each in worst_first(loaders.open_alerts())
        if unattended(each)
        and (job is None or each.concerns_job(job))
        and (queue is None or each.concerns_queue(queue))
    ]
    if not found:
        return
    now = utcnow()
    with st.container(border=True, key="open_alerts", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f":red[:material/notifications:] **{headline(found)}**", width="content")
            st.button(
                "All alerts", key="open_alerts_go", type="tertiary", on_click=leave, args=("views/alerts.py",)
            )
        for alert in found[:LISTED]:
            look = alert_looks.severity(alert.severity)
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f":{look.named}[{look.icon}]", width="content")
                with st.container(width="stretch"):
                    plain(_named(alert), lines=2)
                said = display.distance(alert.opened_at, now)
                plain(said, style="quiet", at=alert.opened_at, width="content")
                st.button(
                    "Open",
                    key=f"open_alert_{alert.id}",
                    type="tertiary",
                    on_click=leave,
                    args=("views/alerts.py",),
                    kwargs={"alert": str(alert.id)},
                )
        if len(found) > LISTED:
            st.caption(f"and {display.count(len(found) - LISTED)} more")


def unattended(alert: Alert) -> bool:
    """Whether it waits for somebody."""
    return alert.acknowledged_at is None and alert.silenced_until is None


def critical_count() -> int:
    """How many critical ones wait for somebody."""
    return sum(each.severity == "critical" and unattended(each) for each in loaders.open_alerts())


def _named(alert: Alert) -> str:
    return alert.message if alert.subject in alert.message else f"{alert.subject}: {alert.message}"


def headline(found: list[Alert]) -> str:
    """How many there are, and how many of them are critical."""
    critical = sum(each.severity == "critical" for each in found)
    said = f"{display.many(len(found), 'alert')} {'is' if len(found) == 1 else 'are'} open"
    return f"{said}, {critical} critical" if critical else said
