"""Limits, one row each: how far they are used up, who holds them, and a way to begin the minute anew."""

import streamlit as st

from callboard.control.actions.limits import reset
from callboard.control.auth import Principal
from callboard.control.reads.limits import Limit
from callboard.core import display
from callboard.core.errors import CallboardError
from callboard.panel import access, loaders
from callboard.panel.home import context
from callboard.panel.parts import told
from callboard.panel.parts.counts import Count, counts
from callboard.panel.parts.links import open_run
from callboard.panel.parts.plain import plain

WIDTHS = [3, 3.6, 2.2, 1.3]
COLUMNS = {
    "Running": "runs that hold one of its slots now",
    "Begun": "runs that have begun within the last minute",
    "Waiting": "runs that are parked until it is free; they hold no thread and burn no attempt",
}
#: The most rows, those that runs wait for first, and the most holders that a row can name.
LISTED, HOLDERS = 20, 20


def rows(limits: tuple[Limit, ...], viewer: Principal) -> None:
    """The table of limits."""
    for limit in limits[:LISTED]:
        _row(limit, viewer)
    if len(limits) > LISTED:
        st.caption(f"and {display.count(len(limits) - LISTED)} more; `callboard limits list` has them all")


def _row(limit: Limit, viewer: Principal) -> None:
    name, numbers, holders, action = st.columns(WIDTHS, vertical_alignment="center")
    with name.container(gap=None):
        plain(limit.key, style="strong")
        if limit.jobs:
            plain(", ".join(limit.jobs), style="quiet")
    with numbers:
        counts(
            [
                used("Running", limit.running, limit.concurrent),
                used("Begun", limit.begun, limit.per_minute),
                used("Waiting", limit.waiting, None),
            ]
        )
    if limit.holders:
        with holders.popover(f"Held by {display.many(limit.running, 'run')}", key=f"holders_{limit.key}"):
            for run_id in limit.holders[:HOLDERS]:
                st.button(
                    str(run_id),
                    key=f"holder_{limit.key}_{run_id}",
                    type="tertiary",
                    on_click=open_run,
                    args=(str(run_id),),
                )
            if limit.running > HOLDERS:
                st.caption(f"and {display.count(limit.running - HOLDERS)} more")
    if limit.begun and viewer.may("limits:reset"):
        action.button(
            "Begin anew",
            key=f"reset_limit_{limit.key}",
            icon=":material/restart_alt:",
            help="Forget what has begun within this minute; slots stay with the runs that hold them.",
            width="stretch",
            on_click=_begin_anew,
            args=(limit.key,),
        )


def used(word: str, count: int, bound: int | None) -> Count:
    """A count and its bound, strained where it is used up: `4 of 4`."""
    if bound is None:
        return Count(display.count(count), word, COLUMNS[word])
    said = f"{display.count(count)} of {display.count(bound)}"
    return Count(said, word, COLUMNS[word], strained=count >= bound)


def _begin_anew(key: str) -> None:
    try:
        reset(context(), access.require(), key)
    except CallboardError as error:
        told.refused(error)
        return
    loaders.forget()
    told.done(f"The minute of the limit {key} begins anew.")
