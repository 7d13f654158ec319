"""How far actions on many dead letters, or on many runs, are."""

from datetime import datetime, timedelta

import streamlit as st

from callboard.control.actions import bulk as actions
from callboard.control.auth import Principal
from callboard.control.reads.bulk import About, BulkAction
from callboard.core import display
from callboard.core.clock import utcnow
from callboard.core.errors import CallboardError
from callboard.panel import access, loaders
from callboard.panel.home import context
from callboard.panel.parts import told
from callboard.panel.parts.plain import plain

WORDS = {"requeue": "Requeued", "drop": "Dropped", "retry": "Retried", "cancel": "Cancelled"}
#: For so long what has become of an action is said.
SHOWN = timedelta(minutes=1)


def progress(about: About, viewer: Principal) -> None:
    """The actions that go on, each with a way to end it, and those that have just ended."""
    now = utcnow()
    for action in loaders.bulk_actions(about, 5):
        if not action.ended:
            _under_way(action, about, viewer)
        elif action.finished_at is not None and now - action.finished_at < SHOWN:
            _ended(action, about, now)


def _under_way(action: BulkAction, about: About, viewer: Principal) -> None:
    dealt = action.done + action.failed
    said = f"{WORDS[action.what]} {display.count(action.done)} of {display.many(action.total, about[:-1])}"
    prefix = "dead" if about == "dead letters" else "runs"
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"bulk_{action.id}"):
        with st.container(gap=None, width="stretch"):
            st.progress(min(1.0, dealt / max(1, action.total)), said)
            _about(action)
        if viewer.may(f"{prefix}:{action.what}"):
            if action.abort:
                st.caption("Ending", width="content")
            else:
                st.button("Abort", key=f"abort_{action.id}", on_click=_abort, args=(about, action))


def _ended(action: BulkAction, about: About, now: datetime) -> None:
    aborted = action.state == "aborted"
    said = f"{WORDS[action.what]} {display.count(action.done)} of {display.many(action.total, about[:-1])}"
    if action.failed:
        said += f"; {display.count(action.failed)} stay: {action.last_error}"
    with st.container(
        border=True, horizontal=True, vertical_alignment="center", gap="small", key=f"bulk_{action.id}"
    ):
        icon = ":orange[:material/stop_circle:]" if aborted else ":green[:material/check_circle:]"
        st.markdown(icon, width="content")
        with st.container(gap=None, width="stretch"):
            st.text(f"{said}, then aborted." if aborted else f"{said}.")
            _about(action, display.distance(action.finished_at, now))


def _about(action: BulkAction, *more: str) -> None:
    asked = action.filter.get("search") or ""
    plain(", ".join(each for each in (f"by {action.requested_by}", *more, asked) if each), style="quiet")


def _abort(about: About, action: BulkAction) -> None:
    try:
        actions.abort(context(), access.require(), about, action.id)
    except CallboardError as error:
        told.refused(error)
        return
    loaders.forget()
    told.done("It ends before its next batch.")
