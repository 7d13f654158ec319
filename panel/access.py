"""Who looks at the page: asked again on every run of it and on every tick of its live parts."""

import random
from collections.abc import Callable
from typing import ParamSpec

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from callboard.control.auth import Principal, session_principal
from callboard.control.auth.sessions import COOKIE
from callboard.core.errors import CallboardError
from callboard.panel.home import context
from callboard.panel.parts.plain import shown

P = ParamSpec("P")

#: Where what came of the last action is kept until the page, which alone can say it, renders as a whole.
TOLD = "told"

#: How long (s) an answer is good for, so that a page of several live parts asks once.
REMEMBER_S = 2.0

SIGNED_OUT = (
    '<div style="max-width:26rem;margin:18vh auto 0;text-align:center">'
    '<p style="font-size:1.25rem;font-weight:620;margin:0 0 .35rem">You are signed out</p>'
    '<p style="opacity:.65;margin:0 0 1.1rem">The session has ended, here or elsewhere.</p>'
    '<a href="/login" target="_self">Sign in again</a></div>'
)


def token() -> str | None:
    """The session token that the browser opened the page with."""
    return st.context.cookies.get(COOKIE)


def address() -> str | None:
    """Where the browser is, for the audit trail; None on this machine."""
    return st.context.ip_address


@st.cache_resource(ttl=REMEMBER_S, max_entries=1_000, show_spinner=False)
def _principal(token: str, at: str | None) -> Principal | None:
    return session_principal(context(), token, address=at)


def principal() -> Principal | None:
    """Whose session it is; None when it has ended."""
    held = token()
    return None if held is None else _principal(held, address())


def require() -> Principal:
    """Whose session it is; where it has ended, say so and run no further."""
    found = principal()
    if found is None:
        st.html(SIGNED_OUT)
        st.stop()
    return found


def live(key: str, every_s: float) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Make a part of a page that renders itself again every few seconds, as long as the session is good.

    The interval is jittered by up to a tenth, so that viewers do not all ask in the same instant. An error
    that the user can understand is shown in place, and tried again. Where a button within it has done
    something, the whole page is rendered, which says so.
    """

    def decorate(part: Callable[P, None]) -> Callable[P, None]:
        jittered = every_s * (1 + random.random() / 10)  # noqa: S311 - no secret

        def placed(*args: P.args, **kwargs: P.kwargs) -> None:
            def fragment() -> None:
                try:
                    if principal() is None or (TOLD in st.session_state and _alone()):
                        st.rerun()
                    part(*args, **kwargs)
                except CallboardError as error:
                    trouble(error)

            # Streamlit knows a live part by its function's name and its place. Were it the same on two pages,
            # one that the browser asks for while it is still on the one before would wipe the new page.
            fragment.__qualname__ = f"{key} of {_page()}"
            st.fragment(fragment, run_every=jittered, key=key)()

        return placed

    return decorate


def _page() -> str:
    run = get_script_run_ctx()
    return "" if run is None else run.page_script_hash


def _alone() -> bool:
    """Whether a live part renders itself, without the rest of the page."""
    run = get_script_run_ctx()
    return run is not None and bool(run.fragment_ids_this_run)


def trouble(error: CallboardError) -> None:
    """Show an error that the user can understand, as plain text."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(":red[:material/error:]", width="content")
        st.text(shown(str(error)), width="stretch")
