"""The pages that not everybody has."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from callboard.control.auth import Principal
from callboard.panel.parts.heading import nothing, page

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
    """The pages themselves; for those that the viewer may not see, one that says so at the same address."""
    may = {view for view, _, _ in offered(viewer)}
    return [
        st.Page(
            VIEWS / f"{view}.py" if view in may else _refusal(title, permission, viewer),
            title=title,
            icon=f":material/{icon}:",
            url_path=view,
            visibility="visible" if view in may else "hidden",
        )
        for permission, view, title, icon in PAGES
    ]


def _refusal(title: str, permission: str, viewer: Principal) -> Callable[[], None]:
    def refusal() -> None:
        with page(title):
            pass
        nothing(
            "lock",
            f"The role {viewer.role} does not include {permission}: ask an administrator for it.",
            height=240,
        )

    return refusal
