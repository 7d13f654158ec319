"""How a queue does, in a line: its score, what is deducted, and the way to all that is known of it."""

import streamlit as st

from callboard.control.reads.health import QueueHealth
from callboard.core.health.score import REASONS
from callboard.panel import access, loaders
from callboard.panel.palette import HEALTH
from callboard.panel.parts.health_tiles import less, score_word
from callboard.panel.parts.links import open_health
from callboard.panel.parts.plain import plain


@access.live("queue_health", 5)
def health_card(name: str) -> None:
    """Put it on the page of the queue; nothing where the queue is no longer known."""
    found = next((each for each in loaders.health() if each.name == name), None)
    if found is None:
        return
    look = HEALTH[found.status]
    with st.container(border=True, gap="xsmall", key="queue_health"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
                st.markdown(
                    f"**Health** :{look.named}[**{score_word(found)}**]",
                    width="content",
                    help="The health score, 0 to 1, of the last 15 minutes",
                )
                st.badge(look.word, icon=look.icon, color=look.named)
                st.markdown(f"**{found.verdict}**", width="content")
            st.button(
                "Open health",
                icon=":material/monitor_heart:",
                key="open_health",
                type="tertiary",
                on_click=open_health,
                args=(name,),
            )
        _deductions(found)


def _deductions(found: QueueHealth) -> None:
    if found.score.note is not None:
        plain(f"{found.score.note[0].upper()}{found.score.note[1:]}.", style="quiet")
    elif not found.score.deductions:
        st.caption("Nothing is deducted.")
    for each in sorted(found.score.deductions, key=lambda each: -each.amount):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.markdown(
                f":small[:red[**−{less(each)}**] {REASONS.get(each.reason, 'Amiss')}:]", width="content"
            )
            plain(each.evidence, style="quiet")


def marker(found: QueueHealth | None) -> None:
    """Put the score alone into a row of a table; a click opens what is known."""
    if found is None:
        return
    st.button(
        f":{HEALTH[found.status].named}[**{score_word(found)}**]",
        key=f"health_of_{found.name}",
        type="tertiary",
        icon=":material/monitor_heart:",
        help=found.verdict,
        on_click=open_health,
        args=(found.name,),
    )
