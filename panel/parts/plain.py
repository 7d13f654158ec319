"""Text that came from outside, shown as it is: nothing in it is taken for Markdown or HTML."""

import re
from html import escape

import streamlit as st

STYLES = {
    "plain": "",
    "quiet": "font-size:.857rem;opacity:.66",
    "strong": "font-weight:600",
    "title": "font-size:1.57rem;font-weight:650;letter-spacing:-.01em;line-height:1.25",
    "code": "font-family:var(--st-code-font,ui-monospace),ui-monospace,monospace;font-size:.857rem",
}


def plain(text: str, *, style: str = "plain", lines: int | None = None) -> None:
    """Put a text on the page; with `lines`, no more than so many of them."""
    clamp = ""
    if lines is not None:
        clamp = f";display:-webkit-box;-webkit-line-clamp:{lines};-webkit-box-orient:vertical;overflow:hidden"
    css = f"{STYLES[style]};overflow-wrap:anywhere;white-space:pre-line{clamp}"
    st.html(f'<div style="{css}">{escape(text)}</div>')


#: What Markdown would see in a label: its own marks, and underscores at the edge of a word.
MARKS = re.compile(r"([\\`*\[\]<>~$:|#!&@^{}]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")


def label(text: str, *, longest: int = 120) -> str:
    """A text for a label, which Streamlit takes for Markdown: whatever Markdown would see is escaped."""
    shown = text if len(text) <= longest else f"{text[:longest]}..."
    return MARKS.sub(r"\\\1", " ".join(shown.split()))
