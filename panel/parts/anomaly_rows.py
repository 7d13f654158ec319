"""All that is out of the ordinary, a row each: which of it is shown, and where a click leads."""

from collections.abc import Collection, Sequence
from datetime import datetime

import streamlit as st

from callboard.core.anomalies import Finding
from callboard.core.display import distance
from callboard.panel.parts.anomaly_looks import LOOKS, against_usual
from callboard.panel.parts.links import open_job, open_run, open_schedule
from callboard.panel.parts.plain import label, plain

#: So many are shown, and so many more with each click.
AT_ONCE = 20
MORE = "anomalies_shown"
#: Widths (px) of what stands beside the evidence.
FAR, OPEN = 112, 76


def shown(found: Sequence[Finding], *, kinds: Collection[str] = (), search: str = "") -> list[Finding]:
    """Those of the kinds, or of all, in whose job or evidence every word of the search occurs."""
    words = search.lower().split()
    return [
        each
        for each in found
        if (not kinds or each.kind in kinds)
        and all(word in f"{each.job} {each.evidence}".lower() for word in words)
    ]


def anomaly_rows(found: Sequence[Finding], now: datetime) -> None:
    """Put them on the page, the first of them at first; a click opens the job, or what one is about."""
    shown = st.session_state.get(MORE, 0) + AT_ONCE
    with st.container(border=True, gap="small", key="anomaly_rows"):
        for number, each in enumerate(found[:shown]):
            _row(each, now, number)
        if len(found) > shown:
            st.button(
                f"Show {min(AT_ONCE, len(found) - shown)} more of {len(found) - shown}",
                key="anomalies_more",
                type="tertiary",
                icon=":material/expand_more:",
                on_click=_more,
            )


def _row(found: Finding, now: datetime, number: int) -> None:
    look = LOOKS[found.kind]
    word, target = _target(found)
    said, about = st.columns([8, 3], vertical_alignment="center", gap="small")
    with said.container(gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(look.word, icon=look.icon, color=look.named)
            st.button(
                label(found.job),
                key=f"anomaly_job_{number}",
                type="tertiary",
                on_click=open_job,
                args=(found.job,),
            )
        plain(found.evidence, style="quiet")
    with about.container(
        horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"
    ):
        with st.container(width=FAR, gap=None):
            st.markdown(against_usual(found, now), text_alignment="right")
            with st.container(horizontal=True, horizontal_alignment="right"):
                plain(distance(found.since, now), style="quiet", at=found.since, width="content")
        st.button(word, key=f"anomaly_open_{number}", width=OPEN, on_click=go, args=(word, target))


def _more() -> None:
    st.session_state[MORE] = st.session_state.get(MORE, 0) + AT_ONCE


def go(what: str, target: str) -> None:
    """Open what a finding is about: a run, the schedule of a slot, or a job."""
    if what == "Run":
        open_run(target)
    elif what == "Slot":
        open_schedule(int(target))
    else:
        open_job(target)


def _target(found: Finding) -> tuple[str, str]:
    if found.run_id is not None:
        return "Run", str(found.run_id)
    if found.schedule_id is not None:
        return "Slot", str(found.schedule_id)
    return "Runs", found.job
