"""A job's schedules: in words, as written, and when each is due next."""

from datetime import datetime
from typing import Literal

import streamlit as st

from callboard.control.auth import Principal
from callboard.control.reads.jobs import Job, Schedule
from callboard.core.display import distance, moment, zone
from callboard.panel import loaders
from callboard.panel.parts.heading import card_title, viewer_zone
from callboard.panel.parts.links import open_schedule
from callboard.panel.parts.plain import plain
from callboard.panel.parts.schedule_dialogs import edit_dialog, new_dialog
from callboard.panel.parts.template_dialog import template_dialog

What = Literal["edit", "add", "template"]
#: What a click asked for, and of which schedule, until the page opens the dialog.
ASKED = "job_schedule_asked"


def open_asked(job: Job) -> None:
    """Open the dialog that a click asked for; to be called once by the page, outside of its live parts."""
    what, schedule_id = st.session_state.pop(ASKED, (None, None))
    if what == "add":
        new_dialog((job,))
    elif what == "template":
        template_dialog(loaders.jobs(30), sync=job.name)
    elif what == "edit":
        found = next((each for each in loaders.schedules() if each.id == schedule_id), None)
        if found is not None:
            edit_dialog(found)


def schedules(job: Job, now: datetime, viewer: Principal) -> None:
    """Put those of a job on the page, one below the other, with what the viewer may do to them."""
    found, edits = job.schedules, viewer.may("schedules:edit", job.name)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        card_title("Schedule" if len(found) < 2 else "Schedules", f"times in {viewer_zone()}")
        if edits:
            with st.container(horizontal=True, width="content", gap="small"):
                _asking("Templates", "dashboard_customize", "template")
                _asking("Add", "more_time", "add")
    if not found:
        st.caption("No schedule: it runs when somebody or some code asks for it.")
    for schedule in found:
        with st.container(gap="xsmall"):
            plain(schedule.words, style="strong")
            plain(f"{schedule.expr}   {schedule.tz}", style="code")
            due = _next(schedule, now, enabled=job.enabled)
            plain(due, style="quiet", at=schedule.next_at if schedule.enabled else None)
            if schedule.declared_expr and (schedule.declared_expr, schedule.declared_tz) != (
                schedule.expr,
                schedule.tz,
            ):
                plain(f"The code says {schedule.declared_expr} {schedule.declared_tz}.", style="quiet")
            with st.container(horizontal=True, gap="medium"):
                st.button(
                    "Open the schedule",
                    key=f"schedule_{schedule.id}",
                    type="tertiary",
                    on_click=open_schedule,
                    args=(schedule.id,),
                )
                if edits:
                    _asking("Edit", "edit_calendar", "edit", schedule.id)


def _asking(word: str, icon: str, what: What, schedule_id: int | None = None) -> None:
    st.button(
        word,
        icon=f":material/{icon}:",
        key=f"job_schedule_{what}{'' if schedule_id is None else f'_{schedule_id}'}",
        type="tertiary",
        on_click=_ask,
        args=(what, schedule_id),
    )


def _ask(what: What, schedule_id: int | None) -> None:
    st.session_state[ASKED] = (what, schedule_id)


def _next(schedule: Schedule, now: datetime, *, enabled: bool) -> str:
    if not schedule.enabled:
        return "This schedule is off."
    if schedule.next_at is None:
        return "It never falls due again."
    when = f"{moment(schedule.next_at, zone(viewer_zone()), now)}, {distance(schedule.next_at, now)}"
    return f"Due {when}" if enabled else f"Would be due {when}; the job is off."
