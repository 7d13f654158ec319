"""The coming days: how many slots fall due in each hour, and on the chosen day of which schedules."""

from collections.abc import Sequence
from typing import Any

import streamlit as st
from pandas import DataFrame

from callboard.control.reads.calendar import Day
from callboard.control.reads.figure_sheets import calendar_sheet
from callboard.core.clock import utcnow
from callboard.core.display import many
from callboard.panel import access, loaders
from callboard.panel.charts import base, week
from callboard.panel.parts import tables
from callboard.panel.parts.heading import card_title, nothing, updated, viewer_zone
from callboard.panel.parts.schedule_table import choose
from callboard.panel.parts.taking import csv_button


def calendar() -> None:
    """Put the calendar on the page."""
    days = loaders.coming_days(viewer_zone())
    if not any(day.count for day in days):
        nothing("event_busy", "Nothing is due in the coming days: no schedule is on.", height=240)
        return
    by_name = {day.day.isoformat(): week.day_word(day.day) for day in days}
    with st.container(border=True):
        grid()
    chosen = st.segmented_control(
        "Day",
        list(by_name),
        default=next(iter(by_name)),
        key="calendar_day",
        bind="query-params",
        format_func=lambda name: by_name.get(name, name),
        label_visibility="collapsed",
        required=True,
    )
    fires(chosen or next(iter(by_name)))


@access.live("calendar_grid", 30)
def grid() -> None:
    """How many slots fall due, hour by hour."""
    days = loaders.coming_days(viewer_zone())
    total = sum(day.count for day in days)
    card_title("Slots by the hour", f"{many(total, 'slot')} in {len(days)} days; times in {viewer_zone()}")
    base.draw(
        week.counts([(day.day, day.hours) for day in days]),
        week.counts_spec("Slots"),
        key="calendar",
        alt="How many slots fall due in each hour of the coming days",
    )


@access.live("calendar_day_list", 30)
def fires(name: str) -> None:
    """The schedules that fall due on a day, as they come."""
    tz = viewer_zone()
    days = loaders.coming_days(tz)
    day = next((day for day in days if day.day.isoformat() == name), days[0])
    if day.fires:
        _table(day)
    else:
        nothing("event_available", "Nothing is due on that day.", height=160)
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        said = f"{many(day.count, 'slot')} of {many(len(day.fires), 'schedule')} on {week.day_word(day.day)}"
        st.caption(said, width="content")
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
            csv_button(
                "calendar",
                lambda context, _viewer: calendar_sheet(context, tz),
                key="calendar_csv",
                what="All days of the calendar, a row each day and schedule",
            )
            updated(utcnow())


def _table(day: Day) -> None:
    found = day.fires
    key = f"calendar_{day.day}"
    columns: dict[str, Sequence[Any]] = {
        "first": [each.first for each in found],
        "name": [each.schedule.name for each in found],
        "words": [each.schedule.words.removesuffix(f" ({each.schedule.tz})") for each in found],
        "count": [each.count for each in found],
        "last": [each.last if each.count > 1 else None for each in found],
    }
    tables.table(
        DataFrame(columns),
        key=key,
        hide_index=True,
        height=400 if len(found) > 10 else "content",
        placeholder="",
        alt="The schedules that fall due on the day",
        column_config={
            "first": tables.moments("First", width=64, form="HH:mm"),
            "name": tables.opener(
                "Schedule", f"{key}_open", choose, [str(each.schedule.id) for each in found], width=280
            ),
            "words": st.column_config.TextColumn("Says", width=300),
            "count": st.column_config.NumberColumn("Slots", format="%,d", width=70),
            "last": tables.moments("Last", width=64, form="HH:mm"),
        },
    )
