"""One schedule: what it says, what can be done with it, and why its slots ran or did not."""

import json

import streamlit as st

from callboard.control.auth import Principal
from callboard.control.reads.ledger import Wanted
from callboard.control.reads.schedules import Schedule
from callboard.control.reads.sheets import MOST, slots_sheet
from callboard.control.reads.why import why
from callboard.core.clock import utcnow
from callboard.core.display import distance, moment, zone
from callboard.core.errors import CallboardError
from callboard.panel import access, loaders
from callboard.panel.home import context
from callboard.panel.parts.facts import facts
from callboard.panel.parts.heading import nothing, viewer_zone
from callboard.panel.parts.ledger import ledger_table
from callboard.panel.parts.links import open_job
from callboard.panel.parts.plain import plain
from callboard.panel.parts.schedule_dialogs import POLICIES, delete_dialog, edit_dialog, reset_now, switch_now
from callboard.panel.parts.schedule_table import switch_look
from callboard.panel.parts.taking import csv_button


def head(schedule: Schedule, viewer: Principal) -> None:
    """Its name, how it stands, and what the viewer may do with it."""
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"
    ):
        with st.container(width="stretch", gap="xsmall"):
            plain(schedule.name, style="title")
            look = switch_look(schedule)
            with st.container(horizontal=True, gap="xsmall"):
                st.badge(look.word, icon=look.icon, color=look.named)
                if schedule.edited:
                    st.badge("Edited", icon=":material/edit:", color="orange")
        with st.container(horizontal=True, width="content", gap="small"):
            st.button("Job", icon=":material/event_repeat:", key="schedule_job", on_click=open_job,
                      args=(schedule.job,))  # fmt: skip
            if viewer.may("schedules:edit", schedule.job):
                _actions(schedule)
    plain(schedule.words, style="quiet")


def about(schedule: Schedule) -> None:
    """All that it says, as plain text."""
    here, now = zone(viewer_zone()), utcnow()
    told = {
        "Expression": schedule.expr,
        "Time zone": schedule.tz,
        "Next": f"{moment(schedule.next_at, here, now)}, {distance(schedule.next_at, now)}"
        if schedule.next_at and schedule.runs
        else "not due",
        "Slots found late": _late(schedule),
        "On time for": f"{schedule.grace_ms / 1000:g} s",
        "Made by": "the code" if schedule.origin == "code" else "an operator",
    }
    if schedule.args or schedule.kwargs:
        told["Arguments"] = ", ".join(
            [*(json.dumps(each) for each in schedule.args),
             *(f"{name}={json.dumps(each)}" for name, each in schedule.kwargs.items())]
        )  # fmt: skip
    if schedule.edited and schedule.declared:
        told["The code says"] = f"{schedule.declared.get('expr')} {schedule.declared.get('tz')}"
    if schedule.changed_by:
        told["Changed"] = f"{moment(schedule.changed_at, here, now)} by {schedule.changed_by}"
    facts("Schedule", told, moments={"Next": schedule.next_at, "Changed": schedule.changed_at})


@access.live("schedule_slots", 5)
def slots(schedule: Schedule) -> None:
    """What became of its slots."""
    wanted = Wanted(job=schedule.job, schedule_id=schedule.id)
    found = loaders.slots(wanted, 200)
    if found:
        ledger_table(found, height=520)
        csv_button(
            "slots",
            lambda context, _viewer: slots_sheet(context, wanted),
            key="slots_csv",
            what=f"Each time that it was due: the latest {MOST:,} at most",
        )
    else:
        nothing("event_busy", "It has not fallen due yet.")


def explain(job: str, *, key: str) -> None:
    """Answer why the job did not run at a time."""
    at = st.text_input("Why did it not run at", key=key, placeholder="08:00, or 2026-11-26 08:00", width=280)
    if not at:
        return
    try:
        answer = why(context(), job, at, tz=viewer_zone())
    except CallboardError as error:
        access.trouble(error)
        return
    for sentence in answer.sentences:
        plain(sentence)


def _late(schedule: Schedule) -> str:
    words = POLICIES.get(schedule.misfire, schedule.misfire)
    return f"{words}, at most {schedule.misfire_limit}" if schedule.misfire == "run_all" else words


def _actions(schedule: Schedule) -> None:
    word, icon = ("Switch off", "off") if schedule.enabled else ("Switch on", "on")
    st.button(
        word,
        icon=f":material/toggle_{icon}:",
        key="schedule_switch",
        on_click=switch_now,
        args=(schedule,),
        disabled=schedule.retired,
    )
    if schedule.origin == "code" and not schedule.retired:
        st.button(
            "Reset",
            icon=":material/restart_alt:",
            key="schedule_reset",
            on_click=reset_now,
            args=(schedule,),
            disabled=not schedule.edited and schedule.enabled,
            help="Let it be what the code says, and on",
        )
    elif st.button("Delete", icon=":material/delete:", key="schedule_delete"):
        delete_dialog(schedule)
    if st.button(
        "Edit", type="primary", icon=":material/edit_calendar:", key="schedule_edit", shortcut="Alt+E"
    ):
        edit_dialog(schedule)
