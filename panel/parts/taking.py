"""What can be taken along as a file. It is made when somebody clicks for it, and not before.

By then the session may have ended or the role may be another one: who asks is looked up again.
"""

from collections.abc import Callable
from functools import partial

import streamlit as st

from callboard.control.auth import Principal, session_principal
from callboard.control.context import Context
from callboard.core.clock import utcnow
from callboard.core.errors import NotAuthenticated
from callboard.panel import access
from callboard.panel.home import context

#: Makes the file for whoever asks; refuses who may not have it.
Make = Callable[[Context, Principal], str]

#: What everybody who may look at figures may take along.
READ = "analytics:view_all"


def csv_button(
    name: str, make: Make, *, key: str, what: str, permission: str = READ, label: str = "CSV"
) -> None:
    """Offer a table as CSV; `name` begins the file's name, `what` says which rows are in it."""
    st.download_button(
        label,
        partial(made, access.token(), access.address(), permission, make),
        f"{name}-{utcnow():%Y%m%d-%H%M%S}.csv",
        "text/csv",
        key=key,
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        help=what,
    )


def text_button(label: str, name: str, make: Make, *, key: str) -> None:
    """Offer a text that is too long for a page."""
    st.download_button(
        label,
        partial(made, access.token(), access.address(), READ, make),
        f"{name}.txt",
        "text/plain",
        key=key,
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )


def made(token: str | None, address: str | None, permission: str, make: Make) -> str:
    """A file for the holder of a session.

    Raises:
        NotAuthenticated: the session has ended.
        NotAllowed: they may not have it.
    """
    viewer = None if token is None else session_principal(context(), token, address=address)
    if viewer is None:
        raise NotAuthenticated("The session has ended; sign in again.")
    viewer.require(permission)
    return make(context(), viewer)
