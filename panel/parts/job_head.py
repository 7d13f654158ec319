"""The head of a job's page: what it is, how it stands, and what can be done with it."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from callboard.control.auth import Principal
from callboard.control.reads.jobs import Job
from callboard.control.reads.pauses import pause_of
from callboard.core import display
from callboard.panel import access, loaders
from callboard.panel.palette import MARKS
from callboard.panel.parts.facts import facts
from callboard.panel.parts.heading import viewer_zone
from callboard.panel.parts.pauses import pause_dialog, resume_now
from callboard.panel.parts.plain import badge_label, label, plain
from callboard.panel.parts.run_dialog import run_dialog
from callboard.panel.parts.switch import off_dialog, on_now


def head(job: Job, viewer: Principal, days: int) -> None:
    """Put it on the page, with its health over so many days."""
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"
    ):
        with st.container(width="stretch", gap="xsmall"):
            plain(job.name, style="title")
            standing(job.name, days)
        with st.container(horizontal=True, width="content", gap="small"):
            actions(job, viewer)
    if job.description:
        plain(job.description, style="quiet")
    pause = pause_of(loaders.pauses(), queue=job.queue, job=job.name)
    if pause is not None:
        what = str(pause)
        plain(f"{what[0].upper()}{what[1:]} is paused by {pause.paused_by}: {pause.reason}", style="quiet")
    if not job.enabled:
        said = f"Switched off by {job.modified_by}" if job.modified_by else "Switched off"
        when = display.moment(job.modified_at, display.zone(viewer_zone()))
        notes = f" {job.notes}" if job.notes else ""
        plain(f"{said}, {when}.{notes}", style="quiet", at=job.modified_at)


@access.live("job_standing", 4)
def standing(name: str, days: int) -> None:
    """How it stands, in badges."""
    job = loaders.job(name, days)
    mark = MARKS[job.stats.mark]
    with st.container(horizontal=True, gap="xsmall"):
        if job.enabled:
            st.badge(mark.word, icon=mark.icon, color=mark.named)
        else:
            st.badge("Off", icon=":material/toggle_off:", color="gray")
        pause = pause_of(loaders.pauses(), queue=job.queue, job=job.name)
        if pause is not None:
            st.badge("paused", icon=":material/pause_circle:", color="orange", help=label(str(pause)))
        if job.running:
            st.badge(f"{job.running} running", icon=":material/play_circle:", color="blue")
        if job.pending:
            st.badge(f"{display.count(job.pending)} waiting", icon=":material/schedule:", color="gray")
        st.badge(badge_label(job.category or "other"), icon=":material/sell:", color="gray")
        st.badge(f"queue {badge_label(job.queue)}", icon=":material/stacks:", color="gray")


def actions(job: Job, viewer: Principal) -> None:
    """What the viewer may do with it; nothing else is there."""
    if viewer.may("jobs:pause", job.name):
        if any((pause.scope, pause.name) == ("job", job.name) for pause in loaders.pauses()):
            st.button(
                "Resume",
                icon=":material/play_arrow:",
                key="resume_job",
                shortcut="Alt+P",
                on_click=resume_now,
                args=("job", job.name),
            )
        elif st.button("Pause", icon=":material/pause:", key="pause_job", shortcut="Alt+P"):
            pause_dialog("job", job.name)
    if viewer.may("jobs:toggle"):
        if job.enabled:
            if st.button("Switch off", icon=":material/toggle_off:", key="switch_off", shortcut="Alt+O"):
                off_dialog(job)
        else:
            st.button(
                "Switch on",
                icon=":material/toggle_on:",
                key="switch_on",
                shortcut="Alt+O",
                on_click=on_now,
                args=(job.name,),
            )
    if viewer.may("jobs:run") and st.button(
        "Run now",
        type="primary",
        icon=":material/play_arrow:",
        key="run_now",
        shortcut="Alt+N",
        disabled=not job.enabled,
    ):
        run_dialog(job)


def options(job: Job) -> None:
    """What the code declares about it, as plain text."""
    told = {
        "Time limit": display.span(job.time_limit_ms) if job.time_limit_ms else "none",
        "Attempts": "no limit" if job.max_attempts is None else str(job.max_attempts),
        "One at a time": "yes" if job.mutex else "no",
        "Queue": job.queue,
        "Arguments": ", ".join(_argument(each) for each in job.signature) or "none",
        "Last declared": display.moment(job.last_seen_at, display.zone(viewer_zone())),
    }
    skip = {"time_limit", "max_retries", "mutex", "periodic", "category", "description"}
    told |= {
        name.replace("_", " ").capitalize(): str(value)
        for name, value in sorted(job.options.items())
        if name not in skip and value is not None
    }
    facts("Options", told, moments={"Last declared": job.last_seen_at})


def _argument(parameter: Mapping[str, Any]) -> str:
    kind = f": {parameter['type']}" if parameter.get("type") else ""
    default = "" if parameter.get("required") else f" = {parameter.get('default')!r}"
    return f"{parameter['name']}{kind}{default}"
