"""The keys that Streamlit has no option for, in a script that the panel serves itself."""

import streamlit as st

# A module, so that it is run once in a tab, however often the page is rendered.
SCRIPT = '<script type="module" src="/app/static/keys.js"></script>'


def keys() -> None:
    """Have them on the page: `/` goes to its search."""
    st.html(SCRIPT, unsafe_allow_javascript=True)
