"""The kinds of anomalies: how each looks, and what is looked for."""

from datetime import datetime

import streamlit as st

from callboard.core.anomalies import KINDS, Finding, Kind
from callboard.core.anomalies import running as long
from callboard.core.anomalies import runs as ended
from callboard.core.display import DASH, distance
from callboard.panel.palette import BLUE, ORANGE, RED, VIOLET, YELLOW, Look

LOOKS: dict[Kind, Look] = {
    "missed": Look("Missed", RED, "red", ":material/event_busy:"),
    "running_long": Look("Running long", ORANGE, "orange", ":material/timer:"),
    "duration": Look("Unusual duration", YELLOW, "yellow", ":material/speed:"),
    "suspicious_success": Look("Suspicious success", VIOLET, "violet", ":material/rule:"),
    "too_often": Look("Too often", BLUE, "blue", ":material/repeat:"),
}
#: What each is, and from how many runs on it is told.
EXPLAINED: dict[Kind, str] = {
    "missed": "A slot of a schedule that is on has become nothing, a minute or more after its time."
    " Told from the first slot on.",
    "running_long": "A run goes on for longer than 99 % of the job's runs of 14 days, and than twice their"
    f" 95th percentile. Told from {long.ENOUGH} runs on.",
    "duration": "A run took at least half as long again as usual, or at most half as long, and far outside"
    f" the usual scatter. Told from {ended.ENOUGH} successes on.",
    "suspicious_success": "A run succeeded in no time, or the count `processed` of its result is far outside"
    f" all before it. Told from {ended.ENOUGH_FOR_P1} runs on, of counts from {ended.ENOUGH_COUNTS}.",
    "too_often": "At least two runs more began within an hour than the schedules call for, those that"
    " somebody asked for not counted. Told from the first schedule on.",
}


def word(kind: Kind) -> str:
    """A kind in words."""
    return LOOKS[kind].word


def looked_for() -> None:
    """Put on the page what each kind is."""
    for kind in KINDS:
        look = LOOKS[kind]
        with st.container(gap=None):
            st.badge(look.word, icon=look.icon, color=look.named)
            st.caption(EXPLAINED[kind])


def against_usual(found: Finding, now: datetime) -> str:
    """How far from usual it is: times what is usual, or how late."""
    if found.kind == "missed":
        return f"{distance(found.since, now).removesuffix(' ago')} late"
    if found.ratio is None:
        return "none expected" if found.kind == "too_often" else DASH
    if found.ratio < 1:
        return f"{found.ratio * 100:.0f} %" if found.ratio >= 0.01 else "under 1 %"
    return f"{found.ratio:.1f} ×" if found.ratio < 100 else f"{found.ratio:,.0f} ×"
