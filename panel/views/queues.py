"""Queues: how much waits in each, what is paused, and which dependencies are spared."""

import streamlit as st

from callboard.control.reads.sheets import queues_sheet
from callboard.core import display
from callboard.core.clock import utcnow
from callboard.panel import access, loaders
from callboard.panel.parts import breaker_rows, heading, limit_rows, queue_rows, quick_actions
from callboard.panel.parts.heading import card_title, foot, nothing
from callboard.panel.parts.pauses import may, pause_dialog, sentence
from callboard.panel.parts.taking import csv_button

viewer = access.require()

with heading.page("Queues"):
    everything = any(pause.scope == "all" for pause in loaders.pauses())
    if (
        not everything
        and may(viewer, "all", "")
        and st.button("Pause everything", icon=":material/pause_circle:", key="pause_all", shortcut="Alt+P")
    ):
        pause_dialog("all")
if actions := loaders.quick_actions():
    quick_actions.card(actions, viewer)


@access.live("queues", 2)
def live() -> None:
    for pause in loaders.pauses():
        if pause.scope != "all":
            sentence(pause, viewer, key=f"{pause.scope}_{pause.name}")
    with st.container(border=True):
        card_title("Queues", "messages in each")
        queues = loaders.queues()
        if queues:
            queue_rows.rows(queues, {each.name: each for each in loaders.health()}, viewer)
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
    with st.container(border=True):
        card_title("Limits", "how many runs at a time, and begun within a minute")
        limits = loaders.limits()
        if limits:
            limit_rows.rows(limits, viewer)
        else:
            nothing("speed", 'No limit is in use. Give a job one with limit={"concurrent": 4}.')
    with foot(display.many(len(queues), "queue"), utcnow()):
        csv_button(
            "queues",
            lambda context, _viewer: queues_sheet(context),
            key="queues_csv",
            what="Each queue with how many messages it has, and what pauses it",
        )


live()
