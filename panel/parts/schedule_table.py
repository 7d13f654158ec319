"""The table of all schedules: which are shown, what stands in each row, what a click does."""

from collections.abc import Sequence
from typing import Literal

import streamlit as st
from pandas import DataFrame

from callboard.control.reads.schedules import Schedule
from callboard.panel.palette import GREEN, GREY, YELLOW, Look
from callboard.panel.parts import tables
from callboard.panel.parts.ledger import disposition

Status = Literal["All", "On", "Off", "Edited"]
STATUSES: tuple[Status, ...] = ("All", "On", "Off", "Edited")

_ICON = ":material/schedule:"
ON = Look("On", GREEN, "green", _ICON)
OFF = Look("Off", GREY, "gray", _ICON)
JOB_OFF = Look("Job off", YELLOW, "yellow", _ICON)
NO_CODE = Look("No code", YELLOW, "yellow", _ICON)
RETIRED = Look("Retired", GREY, "gray", _ICON)


def switch_look(schedule: Schedule) -> Look:
    """Whether a schedule's slots are fired, and if not, for what."""
    if schedule.retired:
        return RETIRED
    if not schedule.enabled:
        return OFF
    if not schedule.job_declared:
        return NO_CODE
    return ON if schedule.job_enabled else JOB_OFF


def shown(found: Sequence[Schedule], *, search: str = "", status: str = "All") -> list[Schedule]:
    """The schedules that match: every word of the search occurs in the name, expression, zone or words."""
    words = search.lower().split()
    return [each for each in found if _matches(each, words, status)]


def schedule_table(found: Sequence[Schedule], *, key: str) -> None:
    """Put the table on the page; a click on a name opens the schedule."""
    looks = [switch_look(each) for each in found]
    lasts = [disposition(each.last.disposition) for each in found if each.last]
    columns = {
        "name": [each.name for each in found],
        "words": [each.words.removesuffix(f" ({each.tz})") for each in found],
        "expr": [each.expr for each in found],
        "tz": [each.tz for each in found],
        "switch": [[each.word] for each in looks],
        "next": [each.next_at if each.runs else None for each in found],
        "last": [each.last.due_at if each.last else None for each in found],
        "became": [[disposition(each.last.disposition).word] if each.last else [] for each in found],
        "by": [_by(each) for each in found],
    }
    tables.table(
        DataFrame(columns),
        key=key,
        hide_index=True,
        height="content",
        placeholder="",
        alt="Schedules, when they are due next and what became of their last slot",
        column_config={
            "name": tables.opener(
                "Schedule", f"{key}_open", choose, [str(each.id) for each in found], width=244
            ),
            "words": st.column_config.TextColumn("Says", width=176),
            "expr": st.column_config.TextColumn("Expression", width=98),
            "tz": st.column_config.TextColumn("Zone", width=94),
            "switch": tables.badges("State", looks, width=74),
            "next": tables.ago("Next", width=96),
            "last": tables.ago("Last slot", width=108),
            "became": tables.badges("Became", lasts, width=86),
            "by": st.column_config.TextColumn("Made by", width=98),
        },
    )


def choose(schedule_id: str) -> None:
    """Look at one schedule."""
    st.query_params["schedule"] = schedule_id


def _by(schedule: Schedule) -> str:
    if schedule.origin == "code":
        return "code, edited" if schedule.edited else "code"
    return schedule.changed_by or "an operator"


def _matches(schedule: Schedule, words: Sequence[str], status: str) -> bool:
    if status == "On" and not schedule.runs:
        return False
    if status == "Off" and schedule.runs:
        return False
    if status == "Edited" and not (schedule.edited or schedule.origin == "operator"):
        return False
    text = f"{schedule.name} {schedule.expr} {schedule.tz} {schedule.words}".lower()
    return all(word in text for word in words)
