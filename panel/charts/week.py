"""A week as a grid: a row a day, a column an hour."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

import altair as alt
from pandas import DataFrame

from callboard.core.display import count
from callboard.panel.charts.base import Spec, finished, legend
from callboard.panel.palette import GREEN, RED, YELLOW

#: How much of the threads is wanted: the word, from where on, and the colour.
LOADS = (
    ("Idle", 0.0, "rgba(139, 145, 158, 0.14)"),
    ("50%", 1e-9, "rgba(46, 158, 107, 0.32)"),
    ("85%", 0.5, GREEN),
    ("100%", 0.85, YELLOW),
    ("Over", 1.0, RED),
)
ROW = 26


def day_word(day: date) -> str:
    """A day as its row is called: `Thu 26 Nov`."""
    return f"{day:%a} {day.day} {day:%b}"


def counts(days: Sequence[tuple[date, Sequence[int | None]]]) -> DataFrame:
    """One row an hour: its day, and a number. An hour without one, that is over, has no row."""
    return DataFrame(
        [
            {"day": day_word(day), "hour": hour, "number": number, "said": count(number)}
            for day, hours in days
            for hour, number in enumerate(hours)
            if number is not None
        ]
    )


def loads(days: Sequence[tuple[date, Sequence[int | None]]], slots: int) -> DataFrame:
    """One row an hour: the most threads `wanted` in it, and the word for how much of all that is."""
    return DataFrame(
        [
            {"day": day_word(day), "hour": hour, "wanted": wanted, "load": load_word(wanted, slots)}
            for day, hours in days
            for hour, wanted in enumerate(hours)
            if wanted is not None
        ]
    )


def load_word(wanted: int, slots: int) -> str:
    """The word for a demand."""
    share = wanted / slots
    return next(word for word, beyond, _ in reversed(LOADS) if share > beyond or beyond == 0)


@lru_cache(maxsize=4)
def counts_spec(what: str) -> Spec:
    """The chart of numbers of something."""
    return _grid(
        alt.Color("number:Q", scale=alt.Scale(domainMin=0), legend=None),
        alt.Tooltip("said:N", title=what),
    )


@lru_cache(maxsize=1)
def loads_spec() -> Spec:
    """The chart of loads."""
    scale = alt.Scale(domain=[word for word, _, _ in LOADS], range=[colour for _, _, colour in LOADS])
    return _grid(
        alt.Color("load:N", scale=scale, legend=legend(), sort=None),
        alt.Tooltip("wanted:Q", title="Threads wanted"),
    )


def _grid(colour: alt.Color, tooltip: alt.Tooltip) -> Spec:
    hour = alt.Axis(
        title=None, domain=False, ticks=False, grid=False, labelAngle=0, labelPadding=6, orient="bottom",
        labelExpr="datum.value % 3 === 0 ? (datum.value < 10 ? '0' : '') + datum.value + ':00' : ''",
        labelAlign="center", labelOverlap=False,
    )  # fmt: skip
    chart = (
        alt.Chart()
        .mark_rect(cornerRadius=3)
        .encode(
            x=alt.X("hour:O", axis=hour, scale=alt.Scale(domain=list(range(24)), paddingInner=0.1)),
            y=alt.Y(
                "day:N",
                sort=None,
                axis=alt.Axis(title=None, domain=False, ticks=False, grid=False, labelPadding=8),
                scale=alt.Scale(paddingInner=0.14),
            ),
            color=colour,
            tooltip=[
                alt.Tooltip("day:N", title="Day"),
                alt.Tooltip("hour:O", title="Hour"),
                tooltip,
            ],
        )
    )
    return finished(chart, height=7 * ROW + 44)
