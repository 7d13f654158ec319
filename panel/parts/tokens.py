"""The API's tokens, as a table and dialogs."""

import pandas as pd
import streamlit as st

from callboard.control import auth
from callboard.control.auth import Token
from callboard.control.auth.tokens import UNLIMITED_ONLY
from callboard.control.principal import PERMISSIONS
from callboard.core.clock import utcnow
from callboard.core.errors import CallboardError
from callboard.panel import access, loaders
from callboard.panel.home import context
from callboard.panel.parts import tables, told
from callboard.panel.parts.people import ROLES
from callboard.panel.parts.plain import plain

DAY_S = 86_400
LIVES = {"30 days": 30, "90 days": 90, "A year": 365, "For ever": None}


def tokens_table(found: tuple[Token, ...]) -> None:
    """One row a token; a click on the name of a valid one asks whether to revoke it."""
    rows = [
        {
            "token": token.name,
            "role": token.role,
            "may": "All of it" if token.permissions is None else ", ".join(token.permissions),
            "jobs": "All" if token.jobs is None else ", ".join(token.jobs),
            "state": _state(token),
            "expires": token.expires_at,
            "used": token.last_used_at,
        }
        for token in found
    ]
    tables.table(
        pd.DataFrame(rows),
        key="tokens",
        hide_index=True,
        column_config={
            "token": tables.opener("Token", "tokens_open", _ask, [token.name for token in found]),
            "role": st.column_config.TextColumn("Role"),
            "may": st.column_config.TextColumn("May"),
            "jobs": st.column_config.TextColumn("Jobs"),
            "state": st.column_config.TextColumn("State"),
            "expires": tables.moments("Expires"),
            "used": tables.ago("Last used"),
        },
    )


@st.dialog("Make a token", icon=":material/key:")
def new_token_dialog() -> None:
    """Ask what it may, and show it, this once."""
    name = st.text_input("Name", key="new_token_name")
    role = st.selectbox("Role", ROLES, key="new_token_role")
    scopes = [each for each in PERMISSIONS if each not in UNLIMITED_ONLY]
    permissions = st.multiselect(
        "Limited to", scopes, key="new_token_permissions", placeholder="Whatever the role may"
    )
    names = [job.name for job in loaders.jobs(30)]
    jobs = st.multiselect("With the jobs", names, key="new_token_jobs", placeholder="All of them")
    life = st.selectbox("Valid for", list(LIVES), key="new_token_life")
    if not st.button(
        "Make it", type="primary", key="new_token_confirm", width="stretch", shortcut="Mod+Enter"
    ):
        return
    days = LIVES[life]
    try:
        token = auth.add_token(
            context(),
            access.require(),
            name,
            auth.parse_role(role),
            life_s=None if days is None else days * DAY_S,
            permissions=permissions or None,
            jobs=jobs or None,
        )
    except CallboardError as error:
        access.trouble(error)
        return
    st.caption("This is the token. It is shown this once: copy it now.")
    st.code(token, language=None)


@st.dialog("Revoke", icon=":material/key_off:")
def revoke_dialog(name: str) -> None:
    """Ask whether to revoke a token."""
    plain(name, style="strong")
    st.caption("Whatever uses it is refused from now on. This cannot be undone.")
    if not st.button(
        "Revoke", type="primary", key="token_revoke_confirm", width="stretch", shortcut="Mod+Enter"
    ):
        return
    try:
        auth.revoke_token(context(), access.require(), name)
    except CallboardError as error:
        access.trouble(error)
        return
    told.done(f"The token {name} is revoked.")
    st.rerun()


def _state(token: Token) -> str:
    if token.revoked_at is not None:
        return "Revoked"
    return "Expired" if token.expires_at is not None and token.expires_at <= utcnow() else "Valid"


def _ask(name: str) -> None:
    st.session_state["token_asked"] = name
