"""Who is signed in, and the way out, at the foot of the sidebar."""

from html import escape

import streamlit as st

from callboard.control.auth import Principal

# A form, not a Streamlit button: leaving must clear a cookie that no script may touch. Streamlit's theme
# gives its colours as CSS variables; where one is missing the text's own colour stands in.
OUT = """
<form method="post" action="/logout" style="display:flex;align-items:center;gap:.6rem;margin:0">
<span style="flex:1;min-width:0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap">
<span style="font-weight:550">{name}</span><span style="opacity:.6"> &middot; {role}</span></span>
<button type="submit" style="font:inherit;font-size:.8125rem;color:inherit;background:transparent;cursor:pointer;
border:1px solid var(--st-border-color,currentColor);border-radius:6px;padding:.2rem .6rem">Sign out</button>
</form>
"""


def account(viewer: Principal) -> None:
    """Put it there."""
    with st.sidebar.container(key="account"):
        st.html(OUT.format(name=escape(viewer.name), role=escape(viewer.role)))
