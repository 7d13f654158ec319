"""Workers: which processes there are, how busy each is and with what, and where a running job is."""

import streamlit as st

from callboard.control.reads.sheets import fleet_sheet
from callboard.core import display
from callboard.core.clock import utcnow
from callboard.panel import access, loaders
from callboard.panel.parts import fleet, heading
from callboard.panel.parts.heading import card_title, foot, nothing
from callboard.panel.parts.stack import stack_dialog
from callboard.panel.parts.taking import csv_button

viewer = access.require()

with heading.page("Workers"):
    pass


@access.live("workers", 3)
def live() -> None:
    found = loaders.fleet()
    workers = [each for each in found.processes if each.part == "worker"]
    others = [each for each in found.processes if each.part != "worker"]
    fleet.figures(found)
    fleet.warnings(found)
    with st.container(border=True, key="fleet_workers_card"):
        card_title("Worker processes", "each with how many of its threads are busy")
        if workers:
            fleet.workers_table(workers, found.at)
        else:
            nothing(
                "memory",
                "No worker is there, so nothing runs. Start one with `callboard worker`, or everything with"
                " `callboard up`.",
            )
    with st.container(border=True, key="fleet_runs_card"):
        card_title("What they run", "as of a few seconds ago")
        if any(each.runs for each in workers):
            fleet.runs_table(workers, found.at, viewer)
        else:
            nothing("hourglass_empty", "No thread is busy. Run a job on its page to see it here.")
    with st.container(border=True, key="fleet_others_card"):
        card_title("Other processes", "schedulers, recorders, APIs and panels")
        if others:
            fleet.others_table(others, found.at)
        else:
            nothing("hub", "No other process is there. `callboard up` starts one of each.")
    with foot(display.many(len(found.processes), "process", "processes"), utcnow()):
        csv_button(
            "processes",
            lambda context, _viewer: fleet_sheet(context),
            key="fleet_csv",
            what="All processes, and what each does",
        )
    asked = fleet.asked()
    if asked is not None:
        stack_dialog(asked)


live()
