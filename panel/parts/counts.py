"""Some numbers of one thing, side by side, each with its word: in a row, or below each other on a phone."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import streamlit as st

from callboard.panel.palette import ORANGE

GRID = "display:grid;grid-template-columns:repeat(auto-fit,minmax(3.6rem,1fr));gap:.35rem .5rem"
WORD = "font-size:.8rem;opacity:.66;line-height:1.3"


@dataclass(frozen=True, slots=True)
class Count:
    """A number as it is written, its word, and what the word means, for whoever points at it."""

    said: str
    word: str
    explained: str
    strained: bool = False


def counts(found: Sequence[Count]) -> None:
    """Put them on the page; a number that is `strained` is in orange."""
    st.html(f'<div style="{GRID}">{"".join(_one(each) for each in found)}</div>')


def _one(count: Count) -> str:
    colour = f' style="color:{ORANGE}"' if count.strained else ""
    return (
        f'<div title="{escape(count.explained, quote=True)}"><div style="{WORD}">{escape(count.word)}</div>'
        f"<div{colour}>{escape(count.said)}</div></div>"
    )
