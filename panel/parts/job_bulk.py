"""What is done to several jobs at once: chosen in the table, asked for in a dialog, told job by job."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from callboard.control.actions.pauses import pause, resume
from callboard.control.actions.run_job import run_job
from callboard.control.actions.switches import set_enabled
from callboard.control.auth import Principal
from callboard.core.display import many
from callboard.core.errors import CallboardError
from callboard.panel import access, loaders
from callboard.panel.home import context
from callboard.panel.parts import job_table, told
from callboard.panel.parts.plain import plain

What = Literal["on", "off", "pause", "resume", "run"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that can be done: its word, icon and permission, and what it means."""

    word: str
    icon: str
    permission: str
    explained: str
    asks_why: bool = False


KINDS: dict[What, Kind] = {
    "on": Kind("Switch on", ":material/toggle_on:", "jobs:toggle", "They run on their schedules again."),
    "off": Kind(
        "Switch off",
        ":material/toggle_off:",
        "jobs:toggle",
        "They will not run on their schedules or by hand until they are switched on. Runs under way go on.",
        asks_why=True,
    ),
    "pause": Kind(
        "Pause",
        ":material/pause:",
        "jobs:pause",
        "Workers take no more runs of them. What waits stays and is not lost.",
        asks_why=True,
    ),
    "resume": Kind("Resume", ":material/play_pause:", "jobs:pause", "What waits goes on."),
    "run": Kind(
        "Run now",
        ":material/play_arrow:",
        "jobs:run",
        "Each runs once, without arguments, as soon as it can.",
    ),
}


def allowed(viewer: Principal) -> list[What]:
    """What the viewer may do to jobs."""
    return [what for what, kind in KINDS.items() if viewer.may(kind.permission)]


def bar(names: Sequence[str], viewer: Principal) -> None:
    """Put what can be done to the chosen jobs on the page; it stays where it is while none is chosen."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="bulk"):
        st.caption(f"{many(len(names), 'job')} chosen" if names else "Choose jobs to", width="content")
        for what in allowed(viewer):
            kind = KINDS[what]
            st.button(
                kind.word,
                icon=kind.icon,
                key=f"bulk_{what}",
                type="tertiary",
                disabled=not names,
                on_click=_ask,
                args=(what, tuple(names)),
            )


def _ask(what: What, names: tuple[str, ...]) -> None:
    st.session_state[job_table.ASKED] = (what, names)


@st.dialog("Several jobs", icon=":material/checklist:")
def bulk_dialog(what: What, names: Sequence[str]) -> None:
    """Ask whether to do it; what comes of it is told for each of them on the page."""
    kind = KINDS[what]
    st.markdown(f"**{kind.word}: {many(len(names), 'job')}**")
    st.caption(kind.explained)
    with st.container(height=220 if len(names) > 8 else "content", border=True, gap="xsmall"):
        for name in names:
            plain(name)
    why = st.text_input("Why", key="bulk_why", placeholder="For whoever finds it so") if kind.asks_why else ""
    if st.button(
        kind.word, type="primary", icon=kind.icon, key="bulk_confirm", width="stretch", shortcut="Mod+Enter"
    ):
        outcomes = [do(what, name, why) for name in names]
        loaders.forget()
        told.several(outcomes)
        st.rerun()


def do(what: What, name: str, why: str) -> told.Outcome:
    """Do it to one job."""
    system, viewer = context(), access.require()
    try:
        if what in ("on", "off"):
            done = set_enabled(system, viewer, name, what == "on", notes=why if what == "off" else None)
            said = f"is switched {what}" if done.changed else f"was {what} already"
        elif what == "pause":
            new = pause(system, viewer, "job", name, reason=why).new
            said = "is paused" if new else "was paused already, and has the new reason"
        elif what == "resume":
            said = "goes on" if resume(system, viewer, "job", name).changed else "was not paused"
        else:
            sent = run_job(system, viewer, name).state == "sent"
            said = "is sent to its queue" if sent else "waits until Redis is back"
    except CallboardError as error:
        return told.Outcome(name, str(error), done=False)
    return told.Outcome(name, said, done=True)
