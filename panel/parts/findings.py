"""Why a queue has its score: what is deducted, what holds it up and what to do about it, the figures."""

from datetime import datetime

import streamlit as st

from callboard.control.reads.health import QueueHealth
from callboard.core import display
from callboard.core.health import VERDICTS, Bottleneck, Recommendation
from callboard.core.health.score import REASONS
from callboard.panel.palette import HEALTH, SEVERITIES
from callboard.panel.parts.facts import facts
from callboard.panel.parts.heading import card_title, nothing, viewer_zone
from callboard.panel.parts.health_tiles import less, score_word
from callboard.panel.parts.plain import plain


def score_card(found: QueueHealth) -> None:
    """Put the score and everything that is deducted from it on the page."""
    look = HEALTH[found.status]
    card_title("Score", "of the last 15 minutes")
    st.metric(
        "Score",
        score_word(found),
        look.word,
        delta_color=look.named,
        delta_arrow="off",
        label_visibility="collapsed",
    )
    if found.score.note is not None:
        note = found.score.note
        plain(f"{note[0].upper()}{note[1:]}.", style="quiet")
    for each in sorted(found.score.deductions, key=lambda each: -each.amount):
        with st.container(gap=None):
            st.markdown(f":red[**−{less(each)}**]  {REASONS.get(each.reason, 'Amiss')}")
            plain(each.evidence, style="quiet")
    if found.score.value is not None and not found.score.deductions:
        st.caption("Nothing is deducted.")


def bottlenecks_card(found: QueueHealth, now: datetime) -> None:
    """Put what holds the queue up on the page, the verdict first, each with what to do about it."""
    card_title("Bottlenecks", "the verdict first" if len(found.bottlenecks) > 1 else None)
    if not found.bottlenecks:
        nothing("task_alt", "Nothing holds this queue up.", height=160)
        return
    for each, advice in zip(found.bottlenecks, found.recommendations, strict=True):
        _finding(each, advice, now)


def _finding(found: Bottleneck, advice: Recommendation, now: datetime) -> None:
    look = SEVERITIES[found.severity]
    with st.container(gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(look.word, icon=look.icon, color=look.named)
            st.markdown(f"**{VERDICTS[found.cause]}**", width="content")
            if found.since is not None:
                at = display.moment(found.since, display.zone(viewer_zone()), now)
                said = f"since {at}, {display.distance(found.since, now)}"
                plain(said, style="quiet", at=found.since, width="content")
        plain(found.evidence)
        with st.container(horizontal=True, vertical_alignment="top", gap="xsmall"):
            st.markdown(":primary[:material/lightbulb:]", width="content")
            with st.container(width="stretch"):
                plain(advice.text)


def facts_card(found: QueueHealth) -> None:
    """Put what the verdict rests on on the page."""
    known = found.facts
    waiting = display.many(known.depth, "run")
    if known.depth:
        waiting += f", the oldest for {display.span(known.oldest_due_ms)}"
    if known.workers:
        workers = f"{known.workers}, with {display.many(known.slots, 'thread')}, busy {known.utilisation:.0%}"
    else:
        workers = "none"
    drains = "nothing waits"
    if known.depth:
        drains = (
            f"{display.span(_ms(found.drain_s))}, were all threads at work on it and arrivals as they are"
        )
    told = {
        "Waiting": waiting,
        "Held back": display.many(known.parked, "run"),
        "Workers": workers,
        "Arrivals": _rate(known.arrivals),
        "Capacity": display.DASH if known.capacity is None else _rate(known.capacity),
        "Drains in": "never at these rates" if known.depth and found.drain_s is None else drains,
        "May wait": f"up to {display.many(int(found.largest_backlog), 'run')} within the objective",
        "Dead letters": f"{known.dead_growth:+d} in the window" if known.dead_growth else "no new ones",
    }
    facts("Figures", told, "now, and over the last 15 minutes")


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000


def _rate(each_s: float) -> str:
    return f"{each_s:.3g} a second" if each_s >= 1 or not each_s else f"{each_s * 60:.3g} a minute"
