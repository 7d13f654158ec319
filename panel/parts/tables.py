"""What the tables have in common: badges, moments, spans, and rows that answer to a click.

A click comes back as the position of a row in what was *sent*, so what was sent is kept beside the table and
the row is looked up there, never in what a later read would bring.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st
from pandas import DataFrame

from callboard.core.clock import utcnow
from callboard.core.display import zone
from callboard.panel.palette import Look
from callboard.panel.parts.frames import clean
from callboard.panel.parts.heading import viewer_zone

#: How much of its colour (hexadecimal alpha) a badge shows.
TINT = "33"


def table(frame: DataFrame, **looks: Any) -> Any:
    """Put a table on the page, its texts made visible and cut; `looks` are those of `st.dataframe`."""
    return st.dataframe(clean(frame), **looks)


def badges(
    label: str, looks: Sequence[Look], *, width: int = 96, more: Mapping[str, str] | None = None
) -> Any:
    """A column of one-item lists, each word of a look (and of `more`) as a badge in its colour."""
    colours = {look.word: look.colour for look in looks} | dict(more or {})
    return st.column_config.MultiselectColumn(
        label, options=list(colours), color=[f"{colour}{TINT}" for colour in colours.values()], width=width
    )


def ago(label: str, *, width: int = 110) -> Any:
    """A column of moments as distances from now."""
    return st.column_config.DatetimeColumn(
        label, format="distance", timezone=viewer_zone(), width=width, help=zone_note()
    )


def moments(label: str, *, width: int = 150, form: str = "D MMM HH:mm:ss") -> Any:
    """A column of moments in the viewer's zone, written in a form of Moment.js."""
    return st.column_config.DatetimeColumn(
        label, format=form, timezone=viewer_zone(), width=width, help=zone_note()
    )


def zone_note() -> str:
    """Whose clock the moments of a table go by; shown to whoever points at the head of the column."""
    here = viewer_zone()
    offset = utcnow().astimezone(zone(here)).strftime("%z")
    if here == "UTC":
        return "Times are in UTC."
    return (
        f"Times are those of {here}, which is UTC{offset[:3]}:{offset[3:]} now."
        " Point at one to see it in UTC, or press Alt+Z to see all so."
    )


def seconds(label: str, *, width: int = 90) -> Any:
    """A column of spans in seconds."""
    return st.column_config.NumberColumn(label, format="%,.1f s", width=width)


def opener(label: str, key: str, go: Callable[[str], None], ids: Sequence[str], *, width: int = 220) -> Any:
    """A column whose cells are links: a click calls `go` with the id of the row that was sent there."""
    st.session_state[f"{key}_rows"] = list(ids)
    return st.column_config.ButtonColumn(
        label,
        type="tertiary",
        alignment="left",
        key=key,
        on_click=clicked,
        args=(key, go),
        width=width,
        pinned=False,
    )


def clicked(key: str, go: Callable[[str], None]) -> None:
    """Answer a click in a column of openers."""
    found = row_of(st.session_state.get(key), st.session_state.get(f"{key}_rows", ()))
    if found is not None:
        go(found)


def row_of(click: Any, ids: Sequence[str]) -> str | None:
    """The id of the row that was clicked; None for a row that was never sent."""
    row = getattr(click, "row", None)
    return ids[row] if isinstance(row, int) and 0 <= row < len(ids) else None
