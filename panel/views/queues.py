"""Queues: how much waits in each, what is paused, and which dependencies are spared."""

import streamlit as st

from callboard.core.clock import utcnow
from callboard.panel import access, loaders
from callboard.panel.parts import breaker_rows, heading, queue_rows
from callboard.panel.parts.heading import card_title, nothing, updated
from callboard.panel.parts.pauses import may, pause_dialog, sentence
from callboard.panel.parts.told import tell

viewer = access.require()

with heading.page("Queues"):
    everything = any(pause.scope == "all" for pause in loaders.pauses())
    if (
        not everything
        and may(viewer, "all", "")
        and st.button("Pause everything", icon=":material/pause_circle:", key="pause_all")
    ):
        pause_dialog("all")
tell()


@access.live("queues", 2)
def live() -> None:
    for pause in loaders.pauses():
        if pause.scope != "all":
            sentence(pause, viewer, key=f"{pause.scope}_{pause.name}")
    with st.container(border=True):
        card_title("Queues", "messages in each")
        queues = loaders.queues()
        if queues:
            queue_rows.rows(queues, viewer)
        else:
            nothing("stacks", "No queue is known yet: queues appear when a worker that serves them starts.")
    with st.container(border=True):
        card_title("Circuit breakers", "what jobs depend on")
        breakers = loaders.breakers()
        if breakers:
            breaker_rows.rows(breakers, viewer, utcnow())
        else:
            nothing(
                "electrical_services",
                'No breaker has counted a failure. Give a job one with breaker="what it depends on".',
            )
    updated(utcnow())


live()
