"""What Streamlit has no option for, in scripts that the panel serves itself."""

import streamlit as st

#: Keys of a page, and moments of a table in UTC to whoever points at them.
NAMES = ("keys", "moments")
# Modules, so that each is run once in a tab, however often the page is rendered.
TAGS = "".join(f'<script type="module" src="/app/static/{name}.js"></script>' for name in NAMES)


def scripts() -> None:
    """Have them on the page."""
    st.html(TAGS, unsafe_allow_javascript=True)
