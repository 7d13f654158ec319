"""Who is signed in, and the way out, in the sidebar."""

from html import escape

import streamlit as st

from callboard.control.auth import Principal
from callboard.panel.parts.scripts import scripts
from callboard.panel.parts.zone_switch import zone_switch

# A form, not a Streamlit button: leaving must clear a cookie that no script may touch.
OUT = """
<form method="post" action="/logout" style="display:flex;align-items:center;gap:.6rem;margin:0">
<span style="flex:1;min-width:0;line-height:1.3;overflow:hidden;text-overflow:ellipsis;white-space:nowrap">
<span style="font-weight:600">{name}</span><br><span style="font-size:.8rem;opacity:.6">{role}</span></span>
<button type="submit" style="{button}">Sign out</button>
</form>
"""
BUTTON = (
    "font:inherit;font-size:.8125rem;color:inherit;background:transparent;cursor:pointer;"
    "border:1px solid color-mix(in srgb,currentColor 20%,transparent);border-radius:6px;padding:.2rem .6rem"
)


def account(viewer: Principal) -> None:
    """Put it there."""
    with st.sidebar.container(key="account"):
        scripts()
        zone_switch()
        st.html(OUT.format(name=escape(viewer.name), role=escape(viewer.role), button=BUTTON))
