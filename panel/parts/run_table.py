"""The table of runs that were searched for, and which of its rows are selected.

A selection comes back as positions. So a table has a key of its own for each set of runs in it: a position
never outlives the rows that were sent with it. While something is selected the rows stay as they are.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import streamlit as st
from pandas import DataFrame

from callboard.control.reads.run_search import Wanted
from callboard.control.reads.runs import Run
from callboard.core.clock import utcnow
from callboard.panel import loaders
from callboard.panel.palette import look
from callboard.panel.parts import tables
from callboard.panel.parts.executions import asked_for_by
from callboard.panel.parts.failures import one_line
from callboard.panel.parts.links import open_job, open_run

#: Rows of a page.
PAGE = 50
#: Where the page that was sent last is kept, and how often a selection was dealt with.
SENT, ROUND = "runs_sent", "runs_round"


@dataclass(frozen=True, slots=True)
class Sent:
    """A page of runs as it was sent: what was asked for, the runs, and the cursor of the next page.

    `back_to`: see `control.reads.run_search.Page`.
    """

    asked: tuple[Wanted, str | None]
    runs: tuple[Run, ...]
    following: str | None
    back_to: datetime | None
    round: int

    @property
    def key(self) -> str:
        """The table's key: another one for other runs."""
        ids = " ".join(str(run.run_id) for run in self.runs)
        return f"runs_{self.round}_{zlib.crc32(ids.encode()):08x}"


def page_of(wanted: Wanted, cursor: str | None) -> Sent:
    """The page to show: a fresh one, or while rows of the one before are selected, that one."""
    now = st.session_state.get(ROUND, 0)
    before: Sent | None = st.session_state.get(SENT)
    if before is not None and before.asked == (wanted, cursor) and before.round == now and selected(before):
        return before
    page = loaders.runs_found(wanted, PAGE) if cursor is None else loaders.runs_further(wanted, cursor, PAGE)
    sent = Sent((wanted, cursor), page.runs, page.following, page.back_to, now)
    if before is not None and before.key != sent.key:
        for column in COLUMNS:
            st.session_state.pop(f"{before.key}_{column}_rows", None)
    st.session_state[SENT] = sent
    return sent


def selected(sent: Sent) -> list[Run]:
    """The runs whose rows are selected, looked up in what was sent."""
    state: Any = st.session_state.get(sent.key)
    rows = () if state is None else state["selection"]["rows"]
    return [sent.runs[row] for row in rows if isinstance(row, int) and 0 <= row < len(sent.runs)]


def drop_selection() -> None:
    """Select nothing any more: what was selected has been dealt with."""
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1


#: The columns whose cells are links.
COLUMNS = ("run", "job")


def run_table(sent: Sent, *, selecting: bool, with_queue: bool) -> None:
    """Put it on the page, the latest sent first; a click on a run or a job opens it."""
    runs = sent.runs
    columns: dict[str, Any] = {
        "run": tables.opener("Run", f"{sent.key}_run", open_run, [str(run.run_id) for run in runs], width=92),
        "job": tables.opener("Job", f"{sent.key}_job", open_job, [run.job for run in runs], width=190),
        "queue": st.column_config.TextColumn("Queue", width=90),
        "state": tables.badges("State", [look(run.state) for run in runs], width=88),
        "sent": tables.moments("Sent", width=124),
        "started": tables.moments("Started", width=124),
        "duration": tables.seconds("Duration", width=76),
        "error": st.column_config.TextColumn("Error or reason", width=300),
        "wait": st.column_config.NumberColumn("Waited", format="%,.2f s", width=76),
        "attempts": st.column_config.TextColumn("Attempt", width=66),
        "asked": st.column_config.TextColumn("Asked for by", width=104),
    }
    if not with_queue:
        del columns["queue"]
    tables.table(
        frame(runs)[list(columns)],
        key=sent.key,
        hide_index=True,
        height="content",
        placeholder="",
        alt="Runs that fit the search, the latest sent first",
        column_config=columns,
        on_select="rerun" if selecting else "ignore",
        selection_mode="multi-row",
    )


def frame(runs: Sequence[Run]) -> DataFrame:
    """One row a run, in the order given. Of one under way, the duration is that until now."""
    now = utcnow()
    took = [run.duration_ms if run.state != "processing" else run.running_ms(now) for run in runs]
    return DataFrame(
        {
            "run": [str(run.run_id)[:8] for run in runs],
            "job": [run.job for run in runs],
            "queue": [run.queue for run in runs],
            "state": [[look(run.state).word] for run in runs],
            "sent": [run.enqueued_at for run in runs],
            "started": [run.started_at for run in runs],
            "wait": [None if run.wait_ms is None else run.wait_ms / 1000 for run in runs],
            "duration": [None if each is None else each / 1000 for each in took],
            "attempts": [f"{run.attempt} of {run.max_attempts or run.attempt}" for run in runs],
            "asked": [asked_for_by(run) for run in runs],
            "error": [one_line(run) for run in runs],
        }
    )
