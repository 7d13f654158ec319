"""Where a running job is: asked for, and shown as text."""

import streamlit as st

from callboard.control.actions.stacks import Stack
from callboard.control.actions.stacks import stack as ask
from callboard.core import display
from callboard.core.errors import CallboardError
from callboard.panel import access
from callboard.panel.home import context
from callboard.panel.parts.heading import nothing, viewer_zone
from callboard.panel.parts.plain import label, plain, shown
from callboard.panel.parts.verbatim import LONGEST


@st.dialog("Where the run is", width="large", icon=":material/account_tree:")
def stack_dialog(run_id: str) -> None:
    """Ask the worker, and show what it answers; the button asks again."""
    try:
        found = ask(context(), access.require(), run_id)
    except CallboardError as error:
        access.trouble(error)
        found = None
    if found is not None:
        _show(found)
    st.button("Ask again", key="stack_again", icon=":material/refresh:", shortcut="Alt+A")


def _show(found: Stack) -> None:
    at = f"{found.at.astimezone(display.zone(viewer_zone())):%H:%M:%S.%f}"[:-3]
    began = found.started_at
    elapsed = "" if began is None else f", after {display.span((found.at - began).total_seconds() * 1000)}"
    where = f"process {found.pid} on {found.host}"
    plain(f"{found.job}, {display.attempt_of(found.attempt, None)}", style="strong")
    beside = f"a process of its own beside {where}" if found.isolated else f"{where}, {found.thread or ''}"
    plain(f"{beside.rstrip(', ')}, at {at}{elapsed}", style="quiet", at=found.at)
    if found.frames:
        st.code(
            shown(found.text, longest=LONGEST),
            language=None,
            wrap_lines=True,
            height="content" if len(found.frames) < 24 else 480,
        )
        st.caption("The call that it is in comes last. Calls are shown, and no values.")
    else:
        nothing("account_tree", label(found.note or "It did not say where it is.", longest=300))
