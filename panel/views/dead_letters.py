"""Dead letters: what failed for good, by what went wrong, and what to do with it."""

import streamlit as st

from callboard.control.reads.letters import Wanted
from callboard.control.reads.sheets import MOST, letters_sheet
from callboard.core import display
from callboard.core.clock import utcnow
from callboard.panel import access, loaders
from callboard.panel.parts import bulk, heading, letters
from callboard.panel.parts.heading import foot, nothing
from callboard.panel.parts.taking import csv_button

viewer = access.require()

with heading.page("Dead letters"):
    search = st.text_input(
        "Search",
        type="search",
        key="q",
        live=True,
        bind="query-params",
        placeholder="In the error",
        label_visibility="collapsed",
        width=280,
    )
if letters.ASKED in st.session_state:
    st.query_params[letters.ADDRESS] = st.session_state.pop(letters.ASKED)
if asked := st.query_params.get(letters.ADDRESS):
    found = next((each for each in loaders.letter_groups(None, None) if each.fingerprint == asked), None)
    if found is not None:
        letters.group_dialog(found, viewer)
    else:
        nothing("inbox", "The dead letters that the address names are dealt with.")


@access.live("dead_letters", 2)
def live(search: str) -> None:
    if letters.ASKED in st.session_state:
        st.rerun()
    now = utcnow()
    bulk.progress("dead letters", viewer)
    groups = loaders.letter_groups(None, search or None)
    if groups:
        letters.table(groups, key=f"letters_{abs(hash(search))}")
    else:
        nothing("inbox", "No job has failed for good, or its dead letters are dealt with.", height=240)
    total = sum(group.letters for group in groups)
    with foot(f"{display.many(total, 'dead letter')} of {display.many(len(groups), 'error')}", now):
        csv_button(
            "dead-letters",
            lambda context, _viewer: letters_sheet(context, Wanted(text=search or None)),
            key="letters_csv",
            what=f"Each dead letter of these errors: the latest {MOST:,} at most",
        )


live(search or "")
