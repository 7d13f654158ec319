"""What is paused: the banner that says so, and pausing and resuming."""

import streamlit as st

from callboard.control.actions import pauses as actions
from callboard.control.auth import Principal
from callboard.control.reads.pauses import Pause, Scope
from callboard.core import display
from callboard.core.clock import utcnow
from callboard.core.errors import CallboardError
from callboard.panel import access, loaders
from callboard.panel.home import context
from callboard.panel.parts import told
from callboard.panel.parts.plain import plain, shown


@access.live("paused", 4)
def paused_banner(viewer: Principal) -> None:
    """Say on every page that everything is paused; nothing where it is not.

    As it is live, a page without other live parts too notices by it that its session has ended.
    """
    for pause in loaders.pauses():
        if pause.scope == "all":
            sentence(pause, viewer, key="banner")


def sentence(pause: Pause, viewer: Principal, *, key: str) -> None:
    """What is paused, since when, by whom and why, with a way to end it."""
    what = str(pause)
    with st.container(
        border=True, horizontal=True, vertical_alignment="center", gap="small", key=f"paused_{key}"
    ):
        st.markdown(":orange[:material/pause_circle:]", width="content")
        with st.container(gap=None, width="stretch"):
            st.text(shown(f"{what[0].upper()}{what[1:]} is paused: {pause.reason}"))
            said = f"by {pause.paused_by}, {display.distance(pause.paused_at, utcnow())}"
            plain(said, style="quiet", at=pause.paused_at)
        if may(viewer, pause.scope, pause.name):
            st.button(
                "Resume",
                icon=":material/play_arrow:",
                key=f"resume_{key}",
                on_click=resume_now,
                args=(pause.scope, pause.name),
            )


def may(viewer: Principal, scope: Scope, name: str) -> bool:
    """Whether the viewer may pause and resume that."""
    return viewer.may("jobs:pause", name) if scope == "job" else viewer.may("queues:pause")


@st.dialog("Pause", icon=":material/pause_circle:")
def pause_dialog(scope: Scope, name: str = "") -> None:
    """Ask whether to pause something, why, and what becomes of what runs."""
    plain("All job processing" if scope == "all" else f"The {scope} {name}", style="strong")
    st.caption(
        "Workers take no more of it. What waits stays and is not lost; schedules go on, and their runs wait."
        + (" Once nothing of it runs, the queue is marked drained." if scope == "queue" else "")
    )
    reason = st.text_input("Why", key="pause_reason", placeholder="Game Platform API maintenance")
    cancel = st.checkbox("Cancel what runs now, instead of letting it finish", key="pause_cancel")
    if not st.button("Pause", type="primary", key="pause_confirm", width="stretch", shortcut="Mod+Enter"):
        return
    try:
        done = actions.pause(context(), access.require(), scope, name, reason=reason, cancel_running=cancel)
    except CallboardError as error:
        access.trouble(error)
        return
    loaders.forget()
    what = str(done.pause)
    ended = f" {display.many(done.cancelled, 'run')} cancelled." if cancel else ""
    told.done(f"{what[0].upper()}{what[1:]} is paused.{ended}")
    st.rerun()


def resume_now(scope: Scope, name: str) -> None:
    """End a pause; from a callback, so a refusal is kept for the page to show."""
    try:
        actions.resume(context(), access.require(), scope, name)
    except CallboardError as error:
        told.refused(error)
        return
    loaders.forget()
    told.done("Everything goes on." if scope == "all" else f"The {scope} {name} goes on.")
