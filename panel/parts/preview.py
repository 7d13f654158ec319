"""What a schedule would do: its coming runs, and what an edit changes."""

from datetime import datetime

import streamlit as st
from pandas import DataFrame

from callboard.control.reads.previews import Preview
from callboard.core.display import count, many, per_day, zone
from callboard.core.edits import Edit
from callboard.panel.parts import tables

#: So many of the slots that go or come are named.
NAMED = 4


def coming(preview: Preview, *, key: str) -> None:
    """Put the coming runs on the page: in the schedule's zone, in UTC, with what the clock does to them."""
    columns = {
        "local": [f"{run.local:%a %-d %b %H:%M}" + _seconds(run.local) for run in preview.runs],
        "utc": [f"{run.at:%H:%M}" for run in preview.runs],
        "note": [run.note or "" for run in preview.runs],
    }
    if preview.tz == "UTC":
        del columns["utc"]
    if not any(columns["note"]):
        del columns["note"]
    tables.table(
        DataFrame(columns),
        key=key,
        hide_index=True,
        height=216,
        alt="The next runs",
        column_config={
            "local": st.column_config.TextColumn(preview.tz, width=150),
            "utc": st.column_config.TextColumn("UTC", width=60),
            "note": st.column_config.TextColumn("Change of the clock", width="medium"),
        },
    )


def changes(edit: Edit, tz: str) -> None:
    """Say what an edit changes: how many slots stay, go and come, and how often it runs."""
    until = f"{edit.until.astimezone(zone(tz)):%a %-d %b %H:%M}"
    with st.container(horizontal=True, gap="small"):
        st.badge(f"{count(len(edit.kept))} stay", color="gray")
        st.badge(f"{count(len(edit.gone))} go", color="orange" if edit.gone else "gray")
        st.badge(f"{count(len(edit.new))} come", color="green" if edit.new else "gray")
    before, after = per_day(edit.per_day_before), per_day(edit.per_day_after)
    rate = f"{before} a day, as before" if before == after else f"{before} a day, then {after}"
    st.caption(f"Of the {many(len(edit.kept) + len(edit.gone), 'slot')} until {until}. Runs: {rate}.")
    if edit.gone:
        st.caption(f"First to go: {_named(edit.gone, tz)}")
    if edit.new:
        st.caption(f"First to come: {_named(edit.new, tz)}")


def _named(slots: tuple[datetime, ...], tz: str) -> str:
    here = zone(tz)
    shown = ", ".join(f"{slot.astimezone(here):%a %H:%M}{_seconds(slot)}" for slot in slots[:NAMED])
    return shown + (" ..." if len(slots) > NAMED else "")


def _seconds(at: datetime) -> str:
    return f":{at:%S}" if at.second else ""
