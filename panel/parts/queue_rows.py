"""Queues, one row each, with how much waits and a way to pause it."""

from collections.abc import Mapping, Sequence

import streamlit as st

from callboard.control.auth import Principal
from callboard.control.reads.health import QueueHealth
from callboard.control.reads.queues import Queue
from callboard.core import display
from callboard.panel.parts.counts import Count, counts
from callboard.panel.parts.links import open_queue
from callboard.panel.parts.pauses import may, pause_dialog, resume_now
from callboard.panel.parts.plain import label
from callboard.panel.parts.queue_health import marker

WIDTHS = [2.3, 0.9, 5, 1.3]
#: The word of each count, and what it is.
COUNTS = {
    "waiting": ("Waiting", "for a worker"),
    "delayed": ("Delayed", "until a later time"),
    "parked": ("Parked", "until a pause is over, or a mutex, a limit or a breaker is free"),
    "taken": ("Taken", "by workers, and not yet done"),
    "dead": ("Dead", "failed for good"),
}


def rows(queues: Sequence[Queue], health: Mapping[str, QueueHealth], viewer: Principal) -> None:
    """The table of queues."""
    for queue in queues:
        _row(queue, health.get(queue.name), viewer)


def _row(queue: Queue, health: QueueHealth | None, viewer: Principal) -> None:
    name, score, numbers, action = st.columns(WIDTHS, vertical_alignment="center")
    with name.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            label(queue.name),
            key=f"open_queue_{queue.name}",
            type="tertiary",
            on_click=open_queue,
            args=(queue.name,),
        )
        if queue.pause is not None:
            st.badge("paused", icon=":material/pause_circle:", color="orange")
            if queue.taken == 0:
                st.badge("drained", icon=":material/check:", color="gray")
    with score:
        marker(health)
    with numbers:
        counts(
            [
                Count(display.count(getattr(queue, field)), word, explained)
                for field, (word, explained) in COUNTS.items()
            ]
        )
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
