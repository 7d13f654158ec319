"""Quick actions: the jobs that operators start by one click, and the log of their executions."""

from collections.abc import Sequence

import streamlit as st
from pandas import DataFrame

from callboard.control.actions.run_job import run_job
from callboard.control.auth import Principal
from callboard.control.reads.quick_actions import QuickAction
from callboard.control.reads.runs import Run
from callboard.core.errors import CallboardError
from callboard.panel import access, loaders
from callboard.panel.home import context
from callboard.panel.palette import look
from callboard.panel.parts import tables, told
from callboard.panel.parts.executions import asked_for_by
from callboard.panel.parts.failures import one_line
from callboard.panel.parts.heading import card_title, nothing
from callboard.panel.parts.links import open_run
from callboard.panel.parts.plain import label
from callboard.panel.parts.running import progress

#: How many executions the log shows.
LOGGED = 5
DRY = "quick_dry_run"


def card(actions: Sequence[QuickAction], viewer: Principal) -> None:
    """The card: a button for each action that the viewer may start, and the log."""
    with st.container(border=True, key="quick_actions"):
        offered = [action for action in actions if viewer.may("jobs:run", action.job)]
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            card_title("Quick actions", "one click runs the job")
            if any(action.dry_run for action in offered):
                st.toggle("Dry run", key=DRY, help="Write nothing; the run's result lists what would change.")
        if offered:
            with st.container(horizontal=True, gap="small"):
                for action in offered:
                    _button(action)
        execution_log(tuple(actions))


def _button(action: QuickAction) -> None:
    dry = bool(st.session_state.get(DRY))
    why = None if action.enabled else "It is switched off. Switch it on to run it."
    if dry and not action.dry_run:
        why = "It knows no dry run."
    st.button(
        label(action.label),
        key=f"quick_{action.job}",
        icon=":material/science:" if dry else ":material/play_arrow:",
        help=label(why or action.description or action.job),
        disabled=why is not None,
        on_click=start,
        args=(action, dry),
    )


def start(action: QuickAction, dry: bool) -> None:
    """Run the job; one that may not run twice at a time is refused while it runs."""
    try:
        requested = run_job(
            context(),
            access.require(),
            action.job,
            kwargs={"dry_run": True} if dry else None,
            if_running="refuse",
        )
    except CallboardError as error:
        told.refused(error)
        return
    loaders.forget()
    what = f"{action.label}{', a dry run,' if dry else ''}"
    sent = requested.state == "sent"
    told.done(
        f"{what} {'is sent to its queue.' if sent else 'waits until Redis is back.'}", str(requested.run_id)
    )


@access.live("quick_log", 2)
def execution_log(actions: tuple[QuickAction, ...]) -> None:
    """The latest executions of these jobs, whoever asked for them."""
    labels = {action.job: action.label for action in actions}
    runs = loaders.quick_log(actions, LOGGED)
    st.caption("Execution log of the last 24 hours")
    if not runs:
        nothing("manage_history", "None of them has run within a day.")
        return
    frame = DataFrame(
        {
            "run": [str(run.run_id)[:8] for run in runs],
            "action": [labels.get(run.job, run.job) for run in runs],
            "state": [[look(run.state).word] for run in runs],
            "at": [run.started_at or run.enqueued_at for run in runs],
            "duration": [None if run.duration_ms is None else run.duration_ms / 1000 for run in runs],
            "attempts": [f"{run.attempt} of {run.max_attempts or run.attempt}" for run in runs],
            "trigger": [asked_for_by(run) for run in runs],
            "said": [_said(run) for run in runs],
        }
    )
    tables.table(
        frame,
        key="quick_log",
        hide_index=True,
        placeholder="",
        alt="The latest executions of the quick actions",
        column_config={
            "run": tables.opener("Run", "quick_open", open_run, [str(run.run_id) for run in runs], width=92),
            "action": st.column_config.TextColumn("Action", width=170),
            "state": tables.badges("Status", [look(run.state) for run in runs], width=96),
            "at": tables.moments("Started", width=136),
            "duration": tables.seconds("Duration", width=84),
            "attempts": st.column_config.TextColumn("Attempt", width=72),
            "trigger": st.column_config.TextColumn("Asked for by", width=130),
            "said": st.column_config.TextColumn("Progress or error", width="large"),
        },
    )


def _said(run: Run) -> str:
    return one_line(run) or progress(run.progress, None, None)[1]
