"""Why it ran, or did not: one row for each time a job was due."""

from collections.abc import Sequence
from typing import Any

import streamlit as st
from pandas import DataFrame

from callboard.control.reads.ledger import UNDECIDED, Occurrence
from callboard.core.states import Disposition
from callboard.panel.palette import GREEN, GREY, ORANGE, RED, YELLOW, Look, look
from callboard.panel.parts import tables
from callboard.panel.parts.links import open_run

_ICON = ":material/schedule:"
LOOKS = {
    Disposition.FIRED: Look("Fired", GREEN, "green", _ICON),
    Disposition.LATE: Look("Late", YELLOW, "yellow", _ICON),
    Disposition.SKIPPED_OVERLAP: Look("Overlap", GREY, "gray", _ICON),
    Disposition.SKIPPED_PAUSED: Look("Paused", GREY, "gray", _ICON),
    Disposition.SKIPPED_DISABLED: Look("Off", GREY, "gray", _ICON),
    Disposition.SKIPPED_BREAKER: Look("Breaker", ORANGE, "orange", _ICON),
    Disposition.SKIPPED_STALE: Look("Stale", ORANGE, "orange", _ICON),
    Disposition.MISSED: Look("Missed", RED, "red", _ICON),
    Disposition.COALESCED: Look("Coalesced", YELLOW, "yellow", _ICON),
    Disposition.CANCELLED: Look("Cancelled", ORANGE, "orange", _ICON),
    UNDECIDED: Look("Undecided", RED, "red", _ICON),
}


def disposition(word: str) -> Look:
    """How a disposition looks."""
    return LOOKS.get(word) or Look(word, GREY, "gray", _ICON)


def ledger_table(slots: Sequence[Occurrence], *, jobs: bool = False, height: int = 420) -> None:
    """Put the slots on the page, the latest first; a click on one that became a run opens the run.

    With `jobs`, each row names its job.
    """
    looks = [disposition(slot.disposition) for slot in slots]
    states = [look(slot.run_state) for slot in slots if slot.run_state]
    columns: dict[str, list[Any]] = {
        "due": [slot.due_at for slot in slots],
        "job": [slot.job for slot in slots],
        "became": [[each.word] for each in looks],
        "after": [_after_s(slot) for slot in slots],
        "run": [str(slot.run_id)[:8] if slot.run_id else None for slot in slots],
        "state": [[look(slot.run_state).word] if slot.run_state else [] for slot in slots],
        "reason": [_reason(slot) for slot in slots],
    }
    if not jobs:
        del columns["job"]
    tables.table(
        DataFrame(columns),
        key="ledger",
        hide_index=True,
        height=height if len(slots) > 12 else "content",
        placeholder="",
        alt="What became of each time that a job was due",
        column_config={
            "due": tables.moments("Due", width=140),
            "job": st.column_config.TextColumn("Job", width=200),
            "became": tables.badges("Became", looks, width=100),
            "after": st.column_config.NumberColumn("Decided after", format="%,.3f s", width=110),
            "run": tables.opener(
                "Run", "ledger_open", open_run, [str(slot.run_id or "") for slot in slots], width=92
            ),
            "state": tables.badges("Outcome", states, width=96),
            "reason": st.column_config.TextColumn("Reason", width="large"),
        },
    )


def _reason(slot: Occurrence) -> str:
    ended_badly = slot.run_state in ("failed", "dead", "skipped", "cancelled")
    return (slot.run_reason if ended_badly else None) or slot.reason or ""


def _after_s(slot: Occurrence) -> float | None:
    if slot.decided_at is None:
        return None
    return max(0.0, (slot.decided_at - slot.due_at).total_seconds())
