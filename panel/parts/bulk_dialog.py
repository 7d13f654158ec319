"""Retrying and cancelling many runs: the selected ones, or all that fit."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import streamlit as st

from callboard.control.actions import bulk_runs as actions
from callboard.control.actions.bulk_runs import What
from callboard.control.auth import Principal
from callboard.control.reads.run_search import Wanted
from callboard.control.reads.runs import Run
from callboard.core import display
from callboard.core.errors import CallboardError
from callboard.core.states import RunState
from callboard.panel import access, loaders
from callboard.panel.home import context
from callboard.panel.parts import run_table, told
from callboard.panel.parts.plain import plain

#: What a click asked for, until the page opens the dialog.
ASKED = "bulk_asked"
#: Of the selected runs so many are listed.
LISTED = 6

#: The states in which it can be done with every run.
STATES = {
    "retry": {RunState.FAILED, RunState.DEAD},
    "cancel": {RunState.PENDING, RunState.PROCESSING},
}
TITLES = {"retry": "Retry runs", "cancel": "Cancel runs"}
ICONS = {"retry": ":material/replay:", "cancel": ":material/cancel:"}
KEYS = {"retry": "Alt+T", "cancel": "Alt+X"}
MEANS = {
    "retry": "Those that have ended are done again, each as a new run that names the old one. Those that wait"
    " for their next attempt go at once.",
    "cancel": "Those that wait never start. Those that run are interrupted within a second, and not tried"
    " again.",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be done, and with which runs: those of a selection, or all that fit."""

    what: What
    runs: tuple[Run, ...]
    wanted: Wanted


def offers(
    sent: run_table.Sent, chosen: Sequence[Run], wanted: Wanted, states: Collection[str], viewer: Principal
) -> None:
    """The buttons for the selected runs, or without a selection those for all that fit.

    `states` are those that runs are in which fit.
    """
    whats: tuple[What, ...] = ("retry", "cancel")
    for what in whats:
        if not viewer.may(f"runs:{what}"):
            continue
        fitting = tuple(run for run in chosen or sent.runs if fits(what, run))
        elsewhere = not chosen and not STATES[what].isdisjoint(states)
        word = what.capitalize()
        if fitting or elsewhere:
            st.button(
                f"{word} {len(fitting)} selected" if chosen else f"{word} all that match",
                key=f"bulk_{what}",
                icon=ICONS[what],
                shortcut=KEYS[what],
                on_click=_ask,
                args=(Asked(what, fitting if chosen else (), wanted),),
            )


def fits(what: str, run: Run) -> bool:
    """Whether it makes sense for a run, as far as one sees."""
    if what == "cancel":
        return not run.ended
    return run.state not in ("pending", "processing", "succeeded") or (
        run.state == "pending" and run.next_retry_at is not None
    )


def open_asked() -> None:
    """Open the dialog that a click asked for; to be called once by the page, outside of its live parts."""
    asked: Asked | None = st.session_state.pop(ASKED, None)
    if asked is not None:
        st.dialog(TITLES[asked.what], icon=ICONS[asked.what])(_dialog)(asked)


def _dialog(asked: Asked) -> None:
    if asked.runs:
        count = len(asked.runs)
        plain(f"{display.many(count, 'selected run')}", style="strong")
        listed = [f"{run.job}  {str(run.run_id)[:8]}" for run in asked.runs[:LISTED]]
        more = [f"and {count - LISTED} more"] if count > LISTED else []
        plain("\n".join(listed + more), style="quiet")
    else:
        count = loaders.bulk_count(asked.what, asked.wanted)
        plain(f"{display.many(count, 'run')} that match", style="strong")
        plain(asked.wanted.search or "everything", style="code", lines=4)
        if asked.wanted.parsed().since is None:
            st.caption(f"Sent in the last {asked.wanted.hours:g} hours.")
    st.caption(MEANS[asked.what])
    if not asked.runs:
        st.caption("It goes on in the background and can be aborted. What is sent from now on is left alone.")
    reason = None
    if asked.what == "cancel":
        reason = st.text_input("Why", key="bulk_reason", placeholder="Kept with each run")
    if st.button(
        f"{asked.what.capitalize()} {display.many(count, 'run')}",
        type="primary",
        key="bulk_confirm",
        width="stretch",
        disabled=count == 0,
        shortcut="Mod+Enter",
    ):
        _do(asked, reason)


def _do(asked: Asked, reason: str | None) -> None:
    try:
        if asked.runs:
            ids: list[UUID] = [run.run_id for run in asked.runs]
            dealt = actions.deal(context(), access.require(), asked.what, ids, reason=reason)
            said = _said(asked.what, dealt)
        else:
            started = actions.start(context(), access.require(), asked.what, asked.wanted, reason=reason)
            verb = "Retrying" if asked.what == "retry" else "Cancelling"
            count = display.many(started.action.total, "run")
            said = f"{verb} {count}." if started.new else "That is under way already."
    except CallboardError as error:
        access.trouble(error)
        return
    run_table.drop_selection()
    loaders.forget()
    told.done(said)
    st.rerun()


def _said(what: str, dealt: actions.Dealt) -> str:
    word = "Retried" if what == "retry" else "Cancelled"
    said = f"{word} {display.many(len(dealt.done), 'run')}."
    if dealt.failed:
        run_id, reason = next(iter(dealt.failed.items()))
        said += f" {display.many(len(dealt.failed), 'run')} stayed as they were; {run_id[:8]}: {reason}."
    return said


def _ask(asked: Asked) -> None:
    st.session_state[ASKED] = asked
