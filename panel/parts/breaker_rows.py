"""Circuit breakers, one row each, with the cause of an open one and a way to close it."""

from datetime import datetime

import streamlit as st

from callboard.control.actions.breakers import reset
from callboard.control.auth import Principal
from callboard.control.reads.breakers import Breaker
from callboard.control.reads.jobs import Job
from callboard.core import display
from callboard.core.clock import utcnow
from callboard.core.errors import CallboardError, Unavailable
from callboard.panel import access, loaders
from callboard.panel.home import context
from callboard.panel.parts import told
from callboard.panel.parts.heading import card_title
from callboard.panel.parts.plain import plain

#: The word, icon and colour of each state.
LOOKS = {
    "closed": ("closed", ":material/check_circle:", "green"),
    "open": ("open", ":material/flash_off:", "red"),
    "half_open": ("half open", ":material/flash_on:", "orange"),
}
WIDTHS = [2, 1.1, 4, 1.3]


def rows(breakers: tuple[Breaker, ...], viewer: Principal, now: datetime) -> None:
    """The table of breakers."""
    for breaker in breakers:
        name, state, why, action = st.columns(WIDTHS, vertical_alignment="center")
        with name:
            plain(breaker.name, style="strong")
        word, icon, colour = LOOKS[breaker.state]
        with state:
            st.badge(word, icon=icon, color=colour)  # type: ignore[arg-type]
        with why:
            plain(_why(breaker, now), style="quiet", lines=2, at=breaker.opened_at)
        if breaker.state != "closed" and viewer.may("breakers:reset"):
            action.button(
                "Close now",
                key=f"reset_{breaker.name}",
                icon=":material/restart_alt:",
                width="stretch",
                on_click=_close,
                args=(breaker.name,),
            )


def breaker_card(job: Job, viewer: Principal) -> None:
    """How the breaker of a job stands; nothing where it has none."""
    named = job.options.get("breaker")
    if not named:
        return
    name = job.name if named is True else str(named)
    unused = Breaker(name, "closed", 0, None, None, None, 0)
    try:
        found = next((each for each in loaders.breakers() if each.name == name), unused)
    except Unavailable as error:
        access.trouble(error)
        return
    with st.container(border=True, key="job_breaker", gap="xsmall"):
        card_title("Circuit breaker")
        rows((found,), viewer, utcnow())


def _why(breaker: Breaker, now: datetime) -> str:
    if breaker.state == "closed":
        count = breaker.failures
        return f"{display.many(count, 'failure')} in a row" if count else "no failure of late"
    said = [breaker.cause or "no cause is known"]
    if breaker.opened_at is not None:
        said.append(f"opened {display.distance(breaker.opened_at, now)}")
    if breaker.until is not None:
        said.append(f"a probe may try {display.distance(breaker.until, now)}")
    if breaker.waiting:
        said.append(f"{display.many(breaker.waiting, 'run')} waiting")
    return "; ".join(said)


def _close(name: str) -> None:
    try:
        reset(context(), access.require(), name)
    except CallboardError as error:
        told.refused(error)
        return
    loaders.forget()
    told.done(f"The breaker {name} is closed.")
