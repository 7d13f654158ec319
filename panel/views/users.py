"""Users: who may sign in, and as what. For admins."""

import streamlit as st

from callboard.control.auth import users
from callboard.control.reads.sheets import users_sheet
from callboard.panel import access
from callboard.panel.home import context
from callboard.panel.parts import heading
from callboard.panel.parts.people import new_user_dialog, user_dialog, users_table
from callboard.panel.parts.taking import csv_button

viewer = access.require()
found = users(context(), viewer)

with heading.page("Users"):
    st.button(
        "Add a user",
        icon=":material/person_add:",
        key="user_add",
        on_click=st.session_state.update,
        kwargs={"user_new": True},
    )
if st.session_state.pop("user_new", False):
    new_user_dialog()
asked = st.session_state.pop("user_asked", None)
chosen = next((each for each in found if each.name == asked), None)
if chosen is not None:
    user_dialog(chosen)
users_table(found)
csv_button("users", users_sheet, key="users_csv", what="All users", permission="users:manage")
