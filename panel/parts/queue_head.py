"""The head of a queue's page: how much waits, who serves it, its jobs, and a way to pause it."""

import streamlit as st

from callboard.control.auth import Principal
from callboard.control.reads.queues import Queue, QueueDetail
from callboard.core import display
from callboard.panel import access, loaders
from callboard.panel.parts.links import open_job
from callboard.panel.parts.pauses import may, pause_dialog, sentence
from callboard.panel.parts.plain import label, plain
from callboard.panel.parts.queue_health import health_card
from callboard.panel.parts.queue_rows import COUNTS

#: More jobs than these are in a list that opens.
LISTED = 5


def queue_head(detail: QueueDetail, viewer: Principal) -> None:
    """Put it on the page."""
    queue = detail.queue
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"
    ):
        plain(queue.name, style="title")
        if (
            queue.pause is None
            and may(viewer, "queue", queue.name)
            and st.button("Pause", icon=":material/pause_circle:", key="pause_queue", shortcut="Alt+P")
        ):
            pause_dialog("queue", queue.name)
    _jobs(detail)
    _standing(queue.name, viewer)
    health_card(queue.name)


@access.live("queue_standing", 2)
def _standing(name: str, viewer: Principal) -> None:
    detail = loaders.queue(name)
    queue = detail.queue
    if queue.pause is not None and queue.pause.scope == "queue":
        sentence(queue.pause, viewer, key="queue")
    with st.grid(len(COUNTS) + 1, min_column_width=110, gap="small", key="queue_counts"):
        for field, (word, explained) in COUNTS.items():
            st.metric(
                word, display.count(getattr(queue, field)), help=explained, border=True, height="stretch"
            )
        st.metric("Workers", _workers(queue, detail), help=_served(detail), border=True, height="stretch")


def _workers(queue: Queue, detail: QueueDetail) -> str:
    return display.count(max(queue.workers, len(detail.servers)))


def _served(detail: QueueDetail) -> str:
    threads = sum(server.threads or 0 for server in detail.servers)
    return f"Processes that serve it, with {display.many(threads, 'thread')}"


def _jobs(detail: QueueDetail) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="queue_jobs"):
        for name in detail.jobs[:LISTED]:
            _opener(name)
        if len(detail.jobs) > LISTED:
            with st.popover(f"{len(detail.jobs) - LISTED} more jobs", type="tertiary"):
                for name in detail.jobs[LISTED:]:
                    _opener(name)


def _opener(name: str) -> None:
    st.button(label(name), key=f"queue_job_{name}", type="tertiary", on_click=open_job, args=(name,))
