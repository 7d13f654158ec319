"""Queues, one row each, with how much waits and a way to pause it."""

import streamlit as st

from callboard.control.auth import Principal
from callboard.control.reads.queues import Queue
from callboard.core import display
from callboard.panel.parts.pauses import may, pause_dialog, resume_now
from callboard.panel.parts.plain import plain

WIDTHS = [3, 1, 1, 1, 1, 1, 1.3]
#: What each count is, for the head of its column.
COUNTS = {
    "waiting": ("Waiting", "for a worker"),
    "delayed": ("Delayed", "until a later time"),
    "parked": ("Parked", "until a pause is over, or a mutex, a limit or a breaker is free"),
    "taken": ("Taken", "by workers, and not yet done"),
    "dead": ("Dead", "failed for good"),
}


def rows(queues: tuple[Queue, ...], viewer: Principal) -> None:
    """The table of queues."""
    for column, (word, explained) in zip(st.columns(WIDTHS)[1:6], COUNTS.values(), strict=True):
        column.caption(word, help=explained, text_alignment="right")
    for queue in queues:
        _row(queue, viewer)


def _row(queue: Queue, viewer: Principal) -> None:
    name, *counts, action = st.columns(WIDTHS, vertical_alignment="center")
    with name.container(horizontal=True, vertical_alignment="center", gap="small"):
        plain(queue.name, style="strong")
        if queue.pause is not None:
            st.badge("paused", icon=":material/pause_circle:", color="orange")
    for column, field in zip(counts, COUNTS, strict=True):
        column.markdown(display.count(getattr(queue, field)), text_alignment="right")
    if not may(viewer, "queue", queue.name):
        return
    if queue.pause is None:
        if action.button("Pause", key=f"pause_{queue.name}", icon=":material/pause:", width="stretch"):
            pause_dialog("queue", queue.name)
    elif queue.pause.scope == "queue":
        action.button(
            "Resume",
            key=f"resume_{queue.name}",
            icon=":material/play_arrow:",
            width="stretch",
            on_click=resume_now,
            args=("queue", queue.name),
        )
