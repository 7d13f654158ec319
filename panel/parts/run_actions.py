"""What can be done with a run: cancel it, try it again."""

import streamlit as st

from callboard.control.actions import runs as actions
from callboard.control.auth import Principal
from callboard.control.reads.runs import RunDetail
from callboard.core.errors import CallboardError
from callboard.panel import access, loaders
from callboard.panel.home import context
from callboard.panel.parts import told
from callboard.panel.parts.links import open_run
from callboard.panel.parts.plain import plain
from callboard.panel.parts.stack import stack_dialog


def run_actions(detail: RunDetail, viewer: Principal) -> None:
    """The buttons that make sense for the run and that the viewer may press; and the runs it belongs to."""
    run = detail.run
    with st.container(horizontal=True, gap="small", width="content"):
        for word, other in (("The run that it repeats", run.retry_of), ("Its repetition", detail.retried_as)):
            if other is not None:
                st.button(
                    word,
                    key=f"open_{other}",
                    type="tertiary",
                    icon=":material/arrow_forward:",
                    on_click=open_run,
                    args=(str(other),),
                )
        waits = run.state == "pending" and run.next_retry_at is not None
        broken = run.ended and run.state != "succeeded" and detail.retried_as is None
        if (waits or broken) and viewer.may("runs:retry", run.job):
            st.button(
                "Retry now",
                key="retry_now",
                shortcut="Alt+T",
                icon=":material/replay:",
                type="primary",
                on_click=_retry,
                args=(str(run.run_id),),
            )
        if (
            run.state == "processing"
            and viewer.may("workers:inspect", run.job)
            and st.button("Where it is", key="stack_run", icon=":material/account_tree:", shortcut="Alt+W")
        ):
            stack_dialog(str(run.run_id))
        if (
            not run.ended
            and viewer.may("runs:cancel", run.job)
            and st.button("Cancel", key="cancel_run", icon=":material/cancel:", shortcut="Alt+X")
        ):
            _cancel_dialog(detail)


@st.dialog("Cancel the run", icon=":material/cancel:")
def _cancel_dialog(detail: RunDetail) -> None:
    run = detail.run
    plain(f"{run.job}  {run.run_id}", style="strong")
    running = run.state == "processing"
    st.caption(
        "It is interrupted within a second and not tried again."
        if running
        else "It never starts, wherever its message is."
    )
    reason = st.text_input("Why", key="cancel_reason", placeholder="Kept with the run")
    if not st.button(
        "Cancel the run", type="primary", key="cancel_confirm", width="stretch", shortcut="Mod+Enter"
    ):
        return
    try:
        actions.cancel(context(), access.require(), run.run_id, reason=reason)
    except CallboardError as error:
        access.trouble(error)
        return
    loaders.forget()
    told.done("The run is cancelled.")
    st.rerun()


def _retry(run_id: str) -> None:
    try:
        done = actions.retry(context(), access.require(), run_id)
    except CallboardError as error:
        told.refused(error)
        return
    loaders.forget()
    again = str(done.run_id)
    told.done("It goes at once." if again == run_id else "It runs again.", None if again == run_id else again)
