"""What is out of the ordinary about a job."""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from callboard.core.anomalies import Finding
from callboard.core.display import distance
from callboard.panel.parts.anomaly_looks import LOOKS
from callboard.panel.parts.heading import card_title
from callboard.panel.parts.links import open_run
from callboard.panel.parts.plain import plain

#: So many findings are listed; the others are counted.
LISTED = 5


def anomaly_card(found: Sequence[Finding], now: datetime) -> None:
    """Put a job's findings on the page; nothing where there is none."""
    if not found:
        return
    with st.container(border=True, key="anomalies", gap="small"):
        card_title("Out of the ordinary", "of the last 24 hours")
        for number, each in enumerate(found[:LISTED]):
            _row(each, now, number)
        if len(found) > LISTED:
            st.caption(f"and {len(found) - LISTED} more")


def _row(found: Finding, now: datetime, number: int) -> None:
    look = LOOKS[found.kind]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(look.word, icon=look.icon, color=look.named, width="content")
        with st.container(width="stretch"):
            plain(found.evidence)
        plain(distance(found.since, now), style="quiet", at=found.since, width="content")
        if found.run_id is not None:
            st.button(
                "Open the run",
                key=f"anomaly_{number}",
                type="tertiary",
                on_click=open_run,
                args=(str(found.run_id),),
            )
