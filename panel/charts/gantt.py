"""Runs under way and runs to come, one row a job, with a rule at the present."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

import altair as alt
from pandas import DataFrame

from callboard.control.reads.next_hour import Expected
from callboard.core.display import span
from callboard.panel.charts.base import Spec, finished, legend
from callboard.panel.palette import BLUE, GREY

#: A run that is shorter would be no wider than a hair: it is drawn as a tick.
BRIEF = timedelta(seconds=40)
UNDER_WAY, TO_COME = "Under way", "To come"
COLOURS = {UNDER_WAY: BLUE, TO_COME: "rgba(101, 116, 232, 0.55)"}


def frame(found: Sequence[Expected], start: datetime, now: datetime, end: datetime) -> DataFrame:
    """One row a bar, cut to the time that is shown; one for the rule, and one for each end of the axis."""
    rows = [
        {
            "kind": UNDER_WAY if each.run else TO_COME,
            "job": each.job,
            "start": max(start, each.start),
            "end": min(end, each.end),
            "begins": each.start,
            "brief": each.end - each.start < BRIEF,
            "said": span((each.end - each.start).total_seconds() * 1000),
        }
        for each in found
    ]
    marks = [("now", now), ("edge", start), ("edge", end)]
    return DataFrame([*rows, *({"kind": kind, "start": at, "end": at} for kind, at in marks)])


@lru_cache(maxsize=32)
def spec(rows: int) -> Spec:
    """The chart of that many jobs."""
    x = alt.X(
        "start:T",
        scale=alt.Scale(nice=False),
        axis=alt.Axis(
            title=None, format="%H:%M", tickCount=7, grid=True, domain=False, ticks=False, labelPadding=6,
            labelOverlap=True, labelFlush=True,
        ),
    )  # fmt: skip
    y = alt.Y(
        "job:N",
        sort=None,
        axis=alt.Axis(title=None, domain=False, ticks=False, labelLimit=210, labelPadding=8, grid=False),
        scale=alt.Scale(paddingInner=0.4, paddingOuter=0.2),
    )
    colour = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=list(COLOURS), range=list(COLOURS.values())),
        legend=legend(),
        sort=None,
    )
    shown = f"datum.kind === '{UNDER_WAY}' || datum.kind === '{TO_COME}'"
    bars = (
        alt.Chart()
        .transform_filter(shown)
        .mark_bar(cornerRadius=3)
        .encode(
            x=x,
            x2="end:T",
            y=y,
            color=colour,
            tooltip=[
                alt.Tooltip("job:N", title="Job"),
                alt.Tooltip("kind:N", title="Run"),
                alt.Tooltip("begins:T", title="Begins", format="%H:%M:%S"),
                alt.Tooltip("said:N", title="Lasts about"),
            ],
        )
    )
    ticks = (
        alt.Chart()
        .transform_filter(f"({shown}) && datum.brief")
        .mark_tick(orient="vertical", thickness=3, size=13, opacity=1)
        .encode(x=x, y=y, color=colour)
    )
    rule = (
        alt.Chart()
        .transform_filter("datum.kind === 'now'")
        .mark_rule(color=GREY, strokeDash=[4, 3], strokeWidth=1.5)
        .encode(x=x)
    )
    edges = alt.Chart().transform_filter("datum.kind === 'edge'").mark_point(opacity=0).encode(x=x)
    return finished(alt.layer(edges, rule, bars, ticks), height=23 * rows + 56)
