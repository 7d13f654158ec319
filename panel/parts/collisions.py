"""The coming week's demand for threads against those there are, and where it is too high."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

import streamlit as st
from pandas import DataFrame

from callboard.control.reads.calendar import DAYS
from callboard.control.reads.collisions import PoolWeek
from callboard.control.reads.figure_sheets import collisions_sheet
from callboard.core.clock import utcnow
from callboard.core.collisions import Collision, Week
from callboard.core.display import many, moment, span, zone
from callboard.core.week import hours_of
from callboard.panel import access, loaders
from callboard.panel.charts import base, week
from callboard.panel.palette import RED, YELLOW, Look
from callboard.panel.parts import tables
from callboard.panel.parts.heading import card_title, foot, nothing, viewer_zone
from callboard.panel.parts.links import open_collisions
from callboard.panel.parts.plain import plain
from callboard.panel.parts.taking import csv_button

SEVERITIES = {
    "critical": Look("Long", RED, "red", ":material/error:"),
    "warning": Look("Short", YELLOW, "yellow", ":material/warning:"),
}


@access.live("collisions", 30)
def collisions() -> None:
    """Put the week on the page, a card for the queues that the same workers serve."""
    pools = loaders.collisions()
    if not pools:
        nothing("event_busy", "No schedule is on, so nothing can collide.", height=240)
    for number, pool in enumerate(sorted(pools, key=lambda pool: not pool.collisions)):
        with st.container(border=True):
            _card(pool, number)
    said = "A run counts in each minute that it touches, with its job's 95th percentile over 14 days."
    with foot(said, utcnow()):
        csv_button(
            "collisions",
            lambda context, _viewer: collisions_sheet(context),
            key="collisions_csv",
            what="The collisions of all queues, the worst of each pool first",
        )


def collision_note() -> None:
    """Put on the page how many there are, and the way to them."""
    found = [each for pool in loaders.collisions() for each in pool.collisions]
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        with st.container(gap=None, width="stretch"):
            card_title("Schedule collisions", "of the coming week")
            worst = max(found, key=lambda each: each.delay_ms, default=None)
            plain(_summary(worst, len(found)), style="quiet", at=worst.at if worst else None)
        st.button(
            "Open the week",
            icon=":material/calendar_view_week:",
            key="open_collisions",
            on_click=open_collisions,
        )


def _summary(worst: Collision | None, times: int) -> str:
    if worst is None:
        return "No minute of the coming week wants more threads than there are."
    at = moment(worst.at, zone(viewer_zone()), utcnow())
    return (
        f"{many(times, 'time')} more runs want a thread than there are; the worst wait is about"
        f" {span(worst.delay_ms)}, from {at} on: {', '.join(worst.jobs)}"
        + (f" and {worst.more} more." if worst.more else ".")
    )


def _card(pool: PoolWeek, number: int) -> None:
    queues = f"{'Queue' if len(pool.queues) == 1 else 'Queues'} {', '.join(pool.queues)}"
    served = f"{many(pool.threads, 'thread')} of {many(pool.workers, 'worker')}"
    unserved = f"no worker serves {'it' if len(pool.queues) == 1 else 'them'}"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        with st.container(width="content"):
            plain(queues, style="strong")
        st.caption(
            f"{served if pool.workers else unserved}; at most {many(pool.week.peak, 'run')} at once",
            width="content",
        )
    days = _by_day(pool.week)
    told = "How many threads are wanted in each hour of the coming days"
    if pool.threads:
        frame, spec = week.loads(days, pool.threads), week.loads_spec()
    else:
        frame, spec = week.counts(days), week.counts_spec("Threads wanted")
    base.draw(frame, spec, key=f"collisions_{number}", alt=told)
    if pool.collisions:
        card_title("Collisions", "the worst first")
        _table(pool.collisions, key=f"collision_list_{number}")
    elif pool.threads:
        plain("No minute of the coming week wants more threads than there are.", style="quiet")


def _by_day(found: Week) -> Sequence[tuple[date, Sequence[int | None]]]:
    days: dict[date, list[int | None]] = defaultdict(lambda: [None] * 24)
    for hour in hours_of(viewer_zone(), found.start):
        before = days[hour.day][hour.hour] or 0
        days[hour.day][hour.hour] = max(before, *found.demand[hour.begin : hour.end])
    return list(days.items())[:DAYS]


def _table(found: Sequence[Collision], *, key: str) -> None:
    columns: dict[str, Sequence[Any]] = {
        "first": [each.at for each in found],
        "times": [each.times for each in found],
        "want": [f"{each.demand} of {each.slots}" for each in found],
        "minutes": [f"{each.minutes} min" for each in found],
        "delay": [[SEVERITIES[each.severity].word] for each in found],
        "wait": [span(each.delay_ms) for each in found],
        "jobs": [", ".join(each.jobs) + (f" and {each.more} more" if each.more else "") for each in found],
        "quieter": [_remedy(each) for each in found],
    }
    tables.table(
        DataFrame(columns),
        key=key,
        hide_index=True,
        height=360 if len(found) > 9 else "content",
        placeholder="",
        alt="Minutes in which more runs want a thread than there are",
        column_config={
            "first": tables.moments("First", width=92, form="ddd HH:mm"),
            "times": st.column_config.NumberColumn("A week", format="%,d", width=62),
            "want": st.column_config.TextColumn("Threads", width=76),
            "minutes": st.column_config.TextColumn("For", width=62),
            "delay": tables.badges("Wait", list(SEVERITIES.values()), width=66),
            "wait": st.column_config.TextColumn("About", width=92),
            "jobs": st.column_config.TextColumn("Jobs that meet", width=350),
            "quieter": st.column_config.TextColumn("A quieter minute", width=300),
        },
    )


def _remedy(found: Collision) -> str:
    moved = found.quieter
    if moved is None:
        return f"none near; {many(found.demand - found.slots, 'more thread')}"
    way = "later" if moved.minutes > 0 else "earlier"
    return f"{moved.job} {abs(moved.minutes)} min {way}"
