"""Dead letters by their error, the dialog that deals with them, and how far that is."""

import pandas as pd
import streamlit as st

from callboard.control.actions import letters as actions
from callboard.control.actions.letters import What
from callboard.control.auth import Principal
from callboard.control.reads.letters import BulkAction, Group, Wanted
from callboard.core import display
from callboard.core.errors import CallboardError
from callboard.panel import access, loaders
from callboard.panel.home import context
from callboard.panel.parts import tables, told
from callboard.panel.parts.links import open_run
from callboard.panel.parts.plain import plain

ASKED = "letters_asked"


def table(groups: tuple[Group, ...], *, key: str) -> None:
    """One row an error; a click on it opens the dialog."""
    rows = [
        {
            "error": _words(group),
            "letters": group.letters,
            "jobs": ", ".join(group.jobs),
            "first": group.first_at,
            "last": group.last_at,
        }
        for group in groups
    ]
    marks = [group.fingerprint or "" for group in groups]
    st.dataframe(
        pd.DataFrame(rows),
        key=key,
        hide_index=True,
        column_config={
            "error": tables.opener("Latest error", f"{key}_open", _ask, marks, width=460),
            "letters": st.column_config.NumberColumn("Letters", width=80),
            "jobs": st.column_config.TextColumn("Jobs"),
            "first": tables.moments("First"),
            "last": tables.ago("Last"),
        },
    )


@st.dialog("Dead letters", icon=":material/inbox:")
def group_dialog(group: Group, viewer: Principal) -> None:
    """Say what went wrong, and requeue or drop all of it after a second look."""
    plain(_words(group), style="strong", lines=6)
    st.caption(f"{display.many(group.letters, 'dead letter')} of {display.many(len(group.jobs), 'job')}")
    plain(", ".join(group.jobs), style="quiet", lines=3)
    st.button(
        "Open the latest run",
        key="letters_run",
        type="tertiary",
        on_click=open_run,
        args=(str(group.run_id),),
    )
    if viewer.may("dead:requeue"):
        st.caption("Requeued, each of them runs again, as a new run.")
        if st.button("Requeue all", type="primary", key="letters_requeue", width="stretch"):
            _start("requeue", group)
    if viewer.may("dead:drop"):
        sure = st.checkbox(f"Drop {group.letters} for good: they cannot be run again", key="letters_sure")
        if st.button("Drop all", key="letters_drop", disabled=not sure, width="stretch"):
            _start("drop", group)


def progress(found: tuple[BulkAction, ...], viewer: Principal) -> None:
    """How far those actions are that go on, with a way to end them."""
    for action in found:
        if action.ended:
            continue
        dealt = action.done + action.failed
        word = "Requeued" if action.what == "requeue" else "Dropped"
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.progress(min(1.0, dealt / max(1, action.total)), f"{word} {action.done} of {action.total}")
            if viewer.may(f"dead:{action.what}"):
                st.button("Abort", key=f"abort_{action.id}", on_click=_abort, args=(action,))


def _start(what: What, group: Group) -> None:
    try:
        started = actions.start(context(), access.require(), what, Wanted(fingerprint=group.fingerprint))
    except CallboardError as error:
        access.trouble(error)
        return
    loaders.forget()
    count = display.many(started.action.total, "dead letter")
    verb = "Requeuing" if what == "requeue" else "Dropping"
    told.done(f"{verb} {count}." if started.new else "That is under way already.")
    st.rerun()


def _abort(action: BulkAction) -> None:
    try:
        actions.abort(context(), access.require(), action.id)
    except CallboardError as error:
        told.refused(error)
        return
    loaders.forget()
    told.done("It ends before its next batch.")


def _words(group: Group) -> str:
    return ": ".join(each for each in (group.error_type, group.error) if each) or "No words were left"


def _ask(fingerprint: str) -> None:
    st.session_state[ASKED] = fingerprint
