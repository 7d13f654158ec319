"""Horizontal bars with a name and a word each: for a few things of which some are larger than others."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import streamlit as st

from callboard.panel.palette import ACCENT
from callboard.panel.parts.plain import shown

HEAD = "display:flex;justify-content:space-between;gap:1rem;font-size:.93rem;line-height:1.35"
SAID = "opacity:.75;text-align:right;white-space:nowrap"
TRACK = "display:flex;height:7px;border-radius:4px;background:rgba(139,145,158,.16);overflow:hidden"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: `size`, of which the last `over` are in another colour; `more` is told below, quietly."""

    name: str
    said: str
    size: float
    over: float = 0.0
    more: str = ""


def bars(found: Sequence[Bar], *, colour: str = ACCENT, over: str = ACCENT) -> None:
    """Put them on the page, as long as they are to the longest; names and words are plain text."""
    longest = max((each.size for each in found), default=0.0)
    rows = "".join(_row(each, longest, colour, over) for each in found)
    st.html(f'<div style="display:grid;gap:.85rem;padding:.2rem 0 .3rem">{rows}</div>')


def _row(bar: Bar, longest: float, colour: str, over: str) -> str:
    whole = 100 * bar.size / longest if longest > 0 else 0.0
    more = whole * bar.over / bar.size if bar.size > 0 else 0.0
    parts = "".join(
        f'<div style="width:{width:.2f}%;background:{each}"></div>'
        for width, each in ((whole - more, colour), (more, over))
    )
    below = f'<div style="font-size:.82rem;opacity:.6">{escape(shown(bar.more))}</div>' if bar.more else ""
    return (
        f'<div style="display:grid;gap:.3rem"><div style="{HEAD}">'
        f'<span style="overflow-wrap:anywhere">{escape(shown(bar.name))}</span>'
        f'<span style="{SAID}">{escape(shown(bar.said))}</span></div>'
        f'<div style="{TRACK}">{parts}</div>{below}</div>'
    )
