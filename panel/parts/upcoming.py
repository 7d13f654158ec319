"""What is due next."""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st
from pandas import DataFrame

from callboard.control.reads.upcoming import Slot
from callboard.panel.parts import tables
from callboard.panel.parts.heading import card_title, nothing, viewer_zone
from callboard.panel.parts.links import open_job
from callboard.panel.words import distance, moment, zone


def next_runs(slots: Sequence[Slot], now: datetime) -> None:
    """Put the next slots on the page, in order."""
    card_title("Next runs", f"times in {viewer_zone()}")
    if not slots:
        nothing(
            "event_busy", "Nothing is scheduled. Give an actor the option periodic=cron(...).", height=220
        )
        return
    here = zone(viewer_zone())
    frame = DataFrame(
        {
            "job": [slot.job for slot in slots],
            "due": [distance(slot.due_at, now) for slot in slots],
            "at": [moment(slot.due_at, here, now) for slot in slots],
        }
    )
    st.dataframe(
        frame,
        key="upcoming",
        hide_index=True,
        alt="The next runs that are due",
        column_config={
            "job": tables.opener("Job", "upcoming_open", open_job, [slot.job for slot in slots], width=196),
            "due": st.column_config.TextColumn("Due", width=76),
            "at": st.column_config.TextColumn("At", width=90),
        },
    )
