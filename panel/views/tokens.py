"""Tokens: what programs call the API with. For admins."""

import streamlit as st

from callboard.control.auth import tokens
from callboard.panel import access
from callboard.panel.home import context
from callboard.panel.parts import heading
from callboard.panel.parts.heading import nothing
from callboard.panel.parts.tokens import new_token_dialog, revoke_dialog, tokens_table
from callboard.panel.parts.told import tell

viewer = access.require()
found = tokens(context(), viewer)

with heading.page("Tokens"):
    st.button(
        "Make a token",
        icon=":material/key:",
        key="token_add",
        on_click=st.session_state.update,
        kwargs={"token_new": True},
    )
tell()
if st.session_state.pop("token_new", False):
    new_token_dialog()
asked = st.session_state.pop("token_asked", None)
if any(each.name == asked and each.revoked_at is None for each in found):
    revoke_dialog(asked)
if found:
    tokens_table(found)
else:
    nothing("key", "No token was made yet. Press Make a token.", height=240)
