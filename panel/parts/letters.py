"""Dead letters by their error, and the dialog that deals with them."""

import pandas as pd
import streamlit as st

from callboard.control.actions import letters as actions
from callboard.control.actions.letters import What
from callboard.control.auth import Principal
from callboard.control.reads.letters import Group, Wanted
from callboard.core import display
from callboard.core.errors import CallboardError
from callboard.panel import access, loaders
from callboard.panel.home import context
from callboard.panel.parts import tables, told
from callboard.panel.parts.links import open_run, unname
from callboard.panel.parts.plain import plain

#: What a click asked for, and where the address has which errors are looked at.
ASKED, ADDRESS = "letters_asked", "error"


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
    tables.table(
        pd.DataFrame(rows),
        key=key,
        hide_index=True,
        column_config={
            "error": tables.opener("Latest error", f"{key}_open", _ask, marks, width=430),
            "letters": st.column_config.NumberColumn("Letters", width=66),
            "jobs": st.column_config.TextColumn("Jobs", width=170),
            "first": tables.moments("First"),
            "last": tables.ago("Last"),
        },
    )


def _shut() -> None:
    unname(ADDRESS)


@st.dialog("Dead letters", icon=":material/inbox:", on_dismiss=_shut)
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
        if st.button(
            "Requeue all", type="primary", key="letters_requeue", width="stretch", shortcut="Mod+Enter"
        ):
            _start("requeue", group)
    if viewer.may("dead:drop"):
        sure = st.checkbox(f"Drop {group.letters} for good: they cannot be run again", key="letters_sure")
        if st.button("Drop all", key="letters_drop", disabled=not sure, width="stretch"):
            _start("drop", group)


def _start(what: What, group: Group) -> None:
    try:
        started = actions.start(context(), access.require(), what, Wanted(fingerprint=group.fingerprint))
    except CallboardError as error:
        access.trouble(error)
        return
    loaders.forget()
    count = display.many(started.action.total, "dead letter")
    _shut()
    verb = "Requeuing" if what == "requeue" else "Dropping"
    told.done(f"{verb} {count}." if started.new else "That is under way already.")
    st.rerun()


def _words(group: Group) -> str:
    words = (each for each in (group.error_type, group.error) if each)
    return ": ".join(words) or "No words were left"


def _ask(fingerprint: str) -> None:
    st.session_state[ASKED] = fingerprint
