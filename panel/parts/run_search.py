"""Searching runs: the field, the window and the states, all of them in the address."""

from dataclasses import dataclass, replace

import streamlit as st

from callboard.control.reads.run_search import States, Wanted, narrowed
from callboard.core import display
from callboard.core.states import RunState
from callboard.panel.palette import look
from callboard.panel.parts.heading import viewer_zone, window_control
from callboard.panel.parts.plain import plain

HELP = """Filters, all of which must hold: `state:failed,dead` `job:sync` `queue:mail` `trigger:manual`
`error:~timeout` `args.coach_id:7` `since:2h` `until:09:30`. A `~` looks for a part of a job's name or of an
error; texts with spaces go in double quotes. Errors are looked for in runs that did not succeed. A search
that would take long stops, says how far back it looked, and goes on when asked to."""

#: The states that have a tab, in the order of a run's life.
TABS = (
    RunState.PENDING, RunState.PROCESSING, RunState.SUCCEEDED, RunState.FAILED, RunState.DEAD,
    RunState.CANCELLED, RunState.SKIPPED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for: the words of the field, which may name states, narrowed to a queue."""

    q: str
    wanted: Wanted
    queue: str | None
    names_states: bool

    @property
    def state(self) -> str | None:
        """The state in the address; None where all are shown."""
        found = st.query_params.get("state")
        return found if found in TABS and not self.names_states else None

    def narrowed(self) -> Wanted:
        """What is looked for, in the state that is shown."""
        return replace(self.wanted, search=narrowed(self.q, queue=self.queue, state=self.state))


def search_bar(queue: str | None = None) -> Asked:
    """Put the field and the window on the page; returns what they ask for.

    Raises:
        BadInput: the words are none of a search.
    """
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"
    ):
        q = st.text_input(
            "Search",
            type="search",
            key="q",
            bind="query-params",
            placeholder="state:failed job:~sync args.coach_id:7 error:~timeout since:2h",
            label_visibility="collapsed",
            help=HELP,
            width=560,
        )
        hours = window_control("within", default="24 hours")
    wanted = Wanted(narrowed(q or "", queue=queue), float(hours), viewer_zone())
    return Asked(q or "", wanted, queue, bool(wanted.parsed().states))


def tabs(asked: Asked, states: States) -> None:
    """One button a state, with how many runs there are in it; the chosen one is in the address."""
    if asked.names_states:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="run_tabs"):
        _tab(None, "All", sum(states.counts.values()), states, chosen=asked.state is None)
        for state in TABS:
            count = states.counts.get(state, 0)
            _tab(state, look(state).word, count, states, chosen=asked.state == state)
        if states.back_to is not None:
            at = display.moment(states.back_to, display.zone(viewer_zone()))
            plain(f"counted back to {at}", style="quiet", at=states.back_to, width="content")


def _tab(state: str | None, word: str, count: int, states: States, *, chosen: bool) -> None:
    more = "+" if states.cut and (count or states.back_to is not None) else ""
    st.button(
        f"{word} :gray[{display.count(count)}{more}]",
        key=f"tab_{state or 'all'}",
        type="secondary" if chosen else "tertiary",
        on_click=_choose,
        args=(state,),
    )


def _choose(state: str | None) -> None:
    st.query_params.pop("after", None)
    if state is None:
        st.query_params.pop("state", None)
    else:
        st.query_params["state"] = state
