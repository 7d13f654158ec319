"""How each queue does, one tile a queue, the worst first; a click opens what is known of it."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from callboard.control.reads.health import QueueHealth, worst_first
from callboard.core.display import DASH
from callboard.core.errors import CallboardError
from callboard.core.health import Deduction
from callboard.panel import access, loaders
from callboard.panel.palette import HEALTH
from callboard.panel.parts.links import open_health
from callboard.panel.parts.plain import label

#: So many tiles stand in a slim row.
SLIM = 4


def score_word(found: QueueHealth) -> str:
    """The score with two digits, never rounded up to 1; a dash where too little ran to tell."""
    value = found.score.value
    if value is None:
        return DASH
    return f"{min(value, 0.99):.2f}" if value < 1 else "1.00"


def less(deduction: Deduction) -> str:
    """How much is deducted, with two digits."""
    return f"{deduction.amount:.2f}" if deduction.amount >= 0.005 else "under 0.01"


def tiles(
    found: Sequence[QueueHealth],
    depths: Mapping[str, Sequence[int]],
    go: Callable[[str], None],
    *,
    slim: bool = False,
    chosen: str | None = None,
) -> None:
    """Put the tiles on the page; nothing where no queue is known. Slim ones are the worst few."""
    shown = worst_first(found)[: SLIM if slim else None]
    if not shown:
        return
    with st.grid(min_column_width=220, gap="small", key="health_tiles"):
        for each in shown:
            _tile(each, depths.get(each.name, ()), go, slim=slim, chosen=each.name == chosen)


def health_row() -> None:
    """The worst few in a slim row; where they cannot be told, only that is said."""
    try:
        tiles(loaders.health(), {}, open_health, slim=True)
    except CallboardError as error:
        access.trouble(error)


def _tile(
    found: QueueHealth, depths: Sequence[int], go: Callable[[str], None], *, slim: bool, chosen: bool
) -> None:
    look = HEALTH[found.status]
    with st.container(border=True, gap="xsmall", key=f"tile_{found.name}", height="stretch"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            name = label(found.name, longest=40)
            st.button(
                f"**{name}**" if chosen else name,
                key=f"open_queue_{found.name}",
                type="tertiary",
                icon=":material/visibility:" if chosen else ":material/stacks:",
                on_click=go,
                args=(found.name,),
            )
            if slim:
                st.markdown(f":{look.named}[**{score_word(found)}**]", width="content")
            else:
                st.badge(look.word, icon=look.icon, color=look.named)
        if slim:
            st.badge(found.verdict, icon=look.icon, color=look.named)
            return
        st.metric(
            "Score",
            score_word(found),
            found.verdict,
            delta_color=look.named,
            delta_arrow="off",
            label_visibility="collapsed",
            chart_data=list(depths) or None,
            chart_type="area",
        )
