"""Users and the audit trail, as tables and dialogs."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from callboard.control import auth
from callboard.control.audit import Audited, latest
from callboard.control.auth import User
from callboard.control.principal import Principal, Role, parse_role
from callboard.core.differences import differences
from callboard.core.errors import CallboardError
from callboard.panel import access
from callboard.panel.home import context
from callboard.panel.parts import tables, told
from callboard.panel.parts.heading import nothing
from callboard.panel.parts.plain import plain

#: So many entries about a job are shown.
AUDITED = 100
ROLES = [str(role) for role in Role]


def users_table(found: tuple[User, ...]) -> None:
    """One row a user; a click on the name opens the dialog."""
    rows = [
        {
            "user": user.name,
            "role": user.role,
            "state": "May sign in" if user.disabled_at is None else "Switched off",
            "with": user.issuer or "A password",
            "added": user.created_at,
        }
        for user in found
    ]
    tables.table(
        pd.DataFrame(rows),
        key="users",
        hide_index=True,
        column_config={
            "user": tables.opener("User", "users_open", _ask, [user.name for user in found]),
            "role": st.column_config.TextColumn("Role"),
            "state": st.column_config.TextColumn("State"),
            "with": st.column_config.TextColumn("Signs in with"),
            "added": tables.moments("Added"),
        },
    )


def audit_table(found: tuple[Audited, ...]) -> None:
    """One row an action."""
    rows = [
        {
            "at": entry.at,
            "who": entry.who,
            "from": f"{entry.origin} {entry.address or ''}".strip(),
            "action": entry.action,
            "target": entry.target,
            "outcome": entry.outcome,
            "change": entry.reason or differences(entry.before, entry.after),
        }
        for entry in found
    ]
    tables.table(
        pd.DataFrame(rows),
        key="audit",
        hide_index=True,
        column_config={
            "at": tables.moments("At"),
            "who": st.column_config.TextColumn("Who"),
            "from": st.column_config.TextColumn("From"),
            "action": st.column_config.TextColumn("Action"),
            "target": st.column_config.TextColumn("Target"),
            "outcome": st.column_config.TextColumn("Outcome"),
            "change": st.column_config.TextColumn("Change or reason", width="large"),
        },
    )


def audit_of(job: str) -> None:
    """The latest of what was done to a job and to its schedules."""
    found = latest(context(), access.require(), limit=AUDITED, job=job)
    if found:
        audit_table(found)
    else:
        nothing("history", "Nobody has run it by hand, switched it or changed its schedules.")


@st.dialog("Add a user", icon=":material/person_add:")
def new_user_dialog() -> None:
    """Ask for a name, a role and a password."""
    name = st.text_input("Name", key="new_user_name")
    role = st.selectbox("Role", ROLES, key="new_user_role")
    password = st.text_input("Password", type="password", key="new_user_password")
    if st.button("Add", type="primary", key="new_user_confirm", width="stretch", shortcut="Mod+Enter"):
        _do(
            lambda caller: auth.add_user(context(), caller, name, parse_role(role), password),
            f"{name} may sign in.",
        )


@st.dialog("User", icon=":material/person:")
def user_dialog(user: User) -> None:
    """Change a user's role or password, sign them out, switch them off or on."""
    plain(user.name, style="strong")
    if user.issuer is None:
        _own_account(user)
    else:
        plain(f"Signs in with {user.issuer}, which says which role they have.", style="quiet")
    if st.button("Sign out everywhere", key="user_sign_out", width="stretch"):
        _do(lambda caller: auth.end_sessions(context(), caller, user.name), f"{user.name} is signed out.")
    enabled = user.disabled_at is None
    word = "Switch off" if enabled else "Switch on"
    if st.button(word, key="user_switch", width="stretch"):
        _do(
            lambda caller: auth.set_user_enabled(context(), caller, user.name, enabled=not enabled),
            f"{user.name} is switched {'off' if enabled else 'on'}.",
        )


def _own_account(user: User) -> None:
    """What of a user is kept here alone."""
    role = st.selectbox("Role", ROLES, index=ROLES.index(user.role), key="user_role")
    if st.button("Give this role", key="user_role_confirm", width="stretch"):
        _do(
            lambda caller: auth.set_role(context(), caller, user.name, parse_role(role)),
            f"{user.name} has the role {role}.",
        )
    password = st.text_input("New password", type="password", key="user_password")
    if st.button("Set this password and end their sessions", key="user_password_confirm", width="stretch"):
        _do(
            lambda caller: auth.set_password(context(), caller, user.name, password),
            f"{user.name} has a new password.",
        )


def _ask(name: str) -> None:
    st.session_state["user_asked"] = name


def _do(action: Callable[[Principal], Any], sentence: str) -> None:
    try:
        action(access.require())
    except CallboardError as error:
        access.trouble(error)
        return
    told.done(sentence)
    st.rerun()
