"""Runs that fit a search: states, table, and what can be done with them."""

import streamlit as st

from callboard.control.auth import Principal
from callboard.control.reads.run_export import MOST, export
from callboard.control.reads.run_search import States
from callboard.core import display
from callboard.core.clock import utcnow
from callboard.core.errors import BadInput
from callboard.panel import access, loaders
from callboard.panel.parts import bulk, bulk_dialog, run_search, run_table
from callboard.panel.parts.heading import nothing, updated, viewer_zone
from callboard.panel.parts.plain import plain
from callboard.panel.parts.taking import csv_button

#: What is said where no run is shown: all were looked at, or not all yet.
NONE = "No run fits. Choose another state, or a longer window."
NONE_YET = "No run fits among those looked at so far. Look further back, or narrow it."


def run_browser(viewer: Principal, queue: str | None = None) -> None:
    """Put all of it on the page; with a queue, of that queue alone."""
    bulk_dialog.open_asked()
    _progress(viewer)
    try:
        asked = run_search.search_bar(queue)
    except BadInput as error:
        access.trouble(error)
        return
    if st.session_state.get("runs_of", asked.wanted) != asked.wanted:
        st.query_params.pop("after", None)
    st.session_state["runs_of"] = asked.wanted
    _found(asked, viewer)


@access.live("bulk_runs", 2)
def _progress(viewer: Principal) -> None:
    bulk.progress("runs", viewer)


@access.live("runs", 5)
def _found(asked: run_search.Asked, viewer: Principal) -> None:
    if bulk_dialog.ASKED in st.session_state:
        st.rerun()
    counted = loaders.run_states(asked.wanted)
    run_search.tabs(asked, counted)
    wanted, cursor = asked.narrowed(), st.query_params.get("after")
    sent = run_table.page_of(wanted, cursor)
    chosen = run_table.selected(sent)
    if sent.runs:
        may = any(viewer.may(f"runs:{what}") for what in ("retry", "cancel"))
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="run_offers"):
            bulk_dialog.offers(sent, chosen, wanted, _states(asked, counted), viewer)
            csv_button(
                "runs",
                lambda context, _viewer: export(context, wanted),
                key="runs_csv",
                what=f"What matches, with all columns: the latest {MOST:,} runs at most",
            )
        run_table.run_table(sent, selecting=may, with_queue=asked.queue is None)
    else:
        nothing("search_off", NONE if sent.back_to is None else NONE_YET, height=240)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            if cursor:
                st.button("Latest", key="runs_latest", on_click=_go, args=(None,))
            if sent.following:
                word = "Earlier" if sent.back_to is None else "Look further back"
                st.button(word, key="runs_earlier", on_click=_go, args=(sent.following,))
            shown = display.many(len(sent.runs), "run")
            held = f"{len(chosen)} of {shown} selected; the rows stay as they are meanwhile"
            said = f"{shown}, the latest sent first"
            if sent.back_to is not None:
                at = display.moment(sent.back_to, display.zone(viewer_zone()))
                said = f"{shown} so far; looked back to {at}"
            back_to = None if chosen else sent.back_to
            plain(held if chosen else said, style="quiet", at=back_to, width="content")
        updated(utcnow())


def _states(asked: run_search.Asked, counted: States) -> set[str]:
    """The states that runs are in which are shown; of those that are not all counted, any may be."""
    found = {state for state, count in counted.counts.items() if count}
    if counted.back_to is not None:
        found = set(run_search.TABS)
    return found if asked.state is None else found & {asked.state}


def _go(cursor: str | None) -> None:
    if cursor is None:
        st.query_params.pop("after", None)
    else:
        st.query_params["after"] = cursor
