"""Anomalies: all that is out of the ordinary just now, each with its evidence and a way to it."""

import streamlit as st

from callboard.control.reads.anomalies import anomalies
from callboard.core import display
from callboard.core.anomalies import KINDS, Finding
from callboard.core.clock import utcnow
from callboard.core.sheets import records
from callboard.panel import access, loaders
from callboard.panel.parts import heading
from callboard.panel.parts.anomaly_looks import looked_for, word
from callboard.panel.parts.anomaly_rows import anomaly_rows, shown
from callboard.panel.parts.collisions import collision_note
from callboard.panel.parts.heading import nothing
from callboard.panel.parts.taking import csv_button

access.require()

with (
    heading.page("Anomalies"),
    st.popover("What is looked for", icon=":material/help:", type="tertiary", key="looked_for"),
):
    looked_for()
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    search = st.text_input("Search", type="search", key="q", live=True, bind="query-params",
                           placeholder="Job, evidence", label_visibility="collapsed", width=280)  # fmt: skip
    kinds = st.pills("Kind", KINDS, selection_mode="multi", key="kind", bind="query-params",
                     format_func=word, label_visibility="collapsed")  # fmt: skip


@access.live("anomalies", 15)
def live(kinds: tuple[str, ...], search: str) -> None:
    now, known = utcnow(), loaders.anomalies()
    found = shown(known, kinds=kinds, search=search)
    if found:
        anomaly_rows(found, now)
    elif known:
        nothing("search_off", "No finding of that kind. Clear the search or choose another kind.", height=240)
    else:
        nothing("task_alt", "Nothing is out of the ordinary. What would be shown here:", height=140)
        with st.container(border=True):
            looked_for()
    told = "of runs that ended within a day, of those under way, and of slots"
    with heading.foot(f"{display.many(len(found), 'finding')}; {told}", now):
        csv_button(
            "anomalies",
            lambda context, _viewer: records(Finding, shown(anomalies(context), kinds=kinds, search=search)),
            key="anomalies_csv",
            what="These findings, with all of their evidence",
        )


@access.live("collision_note", 60)
def week() -> None:
    with st.container(border=True):
        collision_note()


live(tuple(kinds), search or "")
week()
