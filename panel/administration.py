"""The pages that not everybody has."""

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from callboard.control.auth import Principal

VIEWS = Path(__file__).parent / "views"


#: (permission, name of the view, title, icon)
PAGES = (
    ("users:manage", "users", "Users", "group"),
    ("tokens:manage", "tokens", "Tokens", "key"),
    ("audit:view", "audit", "Audit", "history"),
)


def offered(viewer: Principal) -> list[tuple[str, str, str]]:
    """The view, title and icon of each that the viewer may see."""
    return [(view, title, icon) for permission, view, title, icon in PAGES if viewer.may(permission)]


def administration(viewer: Principal) -> list[StreamlitPage]:
    """The pages themselves."""
    return [
        st.Page(VIEWS / f"{view}.py", title=title, icon=f":material/{icon}:", url_path=view)
        for view, title, icon in offered(viewer)
    ]
