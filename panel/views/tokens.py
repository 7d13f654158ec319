"""Tokens: what programs call the API with. For admins."""

import streamlit as st

from callboard.control.auth import tokens
from callboard.control.reads.sheets import tokens_sheet
from callboard.panel import access
from callboard.panel.home import context
from callboard.panel.parts import heading
from callboard.panel.parts.heading import nothing
from callboard.panel.parts.taking import csv_button
from callboard.panel.parts.tokens import new_token_dialog, revoke_dialog, tokens_table

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
if st.session_state.pop("token_new", False):
    new_token_dialog()
asked = st.session_state.pop("token_asked", None)
if any(each.name == asked and each.revoked_at is None for each in found):
    revoke_dialog(asked)
if found:
    tokens_table(found)
    csv_button(
        "tokens",
        tokens_sheet,
        key="tokens_csv",
        what="All tokens, also those that are no longer valid, without the tokens themselves",
        permission="tokens:manage",
    )
else:
    nothing("key", "No token was made yet. Press Make a token.", height=240)
