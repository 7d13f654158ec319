"""Dead letters: what failed for good, by what went wrong, and what to do with it."""

import streamlit as st

from callboard.core import display
from callboard.core.clock import utcnow
from callboard.panel import access, loaders
from callboard.panel.parts import heading, letters
from callboard.panel.parts.heading import nothing, updated
from callboard.panel.parts.told import tell

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
tell()
asked = st.session_state.pop(letters.ASKED, None)
if asked is not None:
    found = next((each for each in loaders.letter_groups(None, None) if each.fingerprint == asked), None)
    if found is not None:
        letters.group_dialog(found, viewer)


@access.live("dead_letters", 2)
def live(search: str) -> None:
    if letters.ASKED in st.session_state:
        st.rerun()
    now = utcnow()
    letters.progress(loaders.bulk_actions(5), viewer)
    groups = loaders.letter_groups(None, search or None)
    if groups:
        letters.table(groups, key=f"letters_{abs(hash(search))}")
    else:
        nothing("inbox", "No job has failed for good, or its dead letters are dealt with.", height=240)
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        total = sum(group.letters for group in groups)
        st.caption(
            f"{display.many(total, 'dead letter')} of {display.many(len(groups), 'error')}", width="content"
        )
        updated(now)


live(search or "")
