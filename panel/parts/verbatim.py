"""Texts of many lines, the way they were written: errors, tracebacks, logs, values."""

import streamlit as st

from callboard.panel.parts.plain import shown
from callboard.panel.parts.taking import Make, text_button

#: So many characters of one are sent, which is more than a worker records; the rest can be taken along.
LONGEST = 40_000


def verbatim(
    text: str, *, key: str, whole: Make, language: str | None = None, tall: int = 1_500, height: int = 300
) -> None:
    """Put a text on the page, its beginning where it is very long, with a way to all of it.

    One of more than `tall` characters scrolls in a box of `height` px. `whole` makes the file with all of it.
    """
    st.code(
        shown(text, longest=LONGEST),
        language=language,
        wrap_lines=True,
        height="content" if len(text) < tall else height,
    )
    if len(text) > LONGEST:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(f"The first {LONGEST:,} of {len(text):,} characters", width="content")
            text_button("All of it", key, whole, key=f"{key}_whole")
