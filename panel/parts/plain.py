"""Text that came from outside, shown as it is: nothing in it is taken for Markdown or HTML.

Characters that are obeyed and not shown, such as those that turn the direction of text, are made visible; a
line that runs from right to left on its own account does not turn what stands beside it.
"""

import re
from datetime import datetime
from html import escape
from typing import Literal

import streamlit as st

from callboard.core.display import utc
from callboard.core.visible import visible

STYLES = {
    "plain": "",
    "quiet": "font-size:.857rem;opacity:.66",
    "strong": "font-weight:600",
    "title": "font-size:1.57rem;font-weight:650;letter-spacing:-.01em;line-height:1.25",
    "code": "font-family:var(--st-code-font,ui-monospace),ui-monospace,monospace;font-size:.857rem",
}
#: So many characters (of a sentence, an error, a reason) are sent where there is no room for more.
LONGEST = 4_000


def plain(
    text: str,
    *,
    style: str = "plain",
    lines: int | None = None,
    at: datetime | None = None,
    width: Literal["stretch", "content"] = "stretch",
) -> None:
    """Put a text on the page; with `lines`, no more than so many of them.

    One that speaks of a moment tells it in UTC to whoever points at it.
    """
    clamp = ""
    if lines is not None:
        clamp = f";display:-webkit-box;-webkit-line-clamp:{lines};-webkit-box-orient:vertical;overflow:hidden"
    css = f"{STYLES[style]};overflow-wrap:anywhere;white-space:pre-line;{ISOLATED}{clamp}"
    hover = "" if at is None else f' title="{utc(at)}"'
    st.html(f'<div style="{css}"{hover}>{escape(shown(text))}</div>', width=width)


#: Each line has the direction of its own letters, and stands at the left all the same.
ISOLATED = "unicode-bidi:plaintext;text-align:left"


def shown(text: str, *, longest: int = LONGEST) -> str:
    """A text as it can be put where Streamlit takes it as it is: visible, and cut where it is too long."""
    return visible(text if len(text) <= longest else f"{text[:longest]}...")


#: Where Markdown would begin to see an address, marks or none, and what is put there: it has no width.
ADDRESSES, APART = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=@)", re.IGNORECASE), "\u2060"

#: What Markdown would see in a label: its own marks, and underscores at the edge of a word.
MARKS = re.compile(r"([\\`*\[\]<>~$:|#!&@^{}]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")


def label(text: str, *, longest: int = 120) -> str:
    """A text for a label, which Streamlit takes for Markdown: whatever Markdown would see is escaped."""
    line = " ".join(shown(text, longest=longest).split())
    return MARKS.sub(r"\\\1", ADDRESSES.sub(APART, line))


def badge_label(text: str) -> str:
    """A text for a badge, whose brackets Streamlit escapes itself: escaped twice they would be seen again."""
    return label(text).replace(r"\[", "[").replace(r"\]", "]")
