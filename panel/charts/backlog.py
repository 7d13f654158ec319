"""How much waited over time, and where that goes."""

from datetime import timedelta
from functools import lru_cache

import altair as alt
from pandas import DataFrame

from callboard.control.reads.backlog import Backlog
from callboard.core.health.forecast import line
from callboard.panel.charts.base import Spec, count_axis, finished, legend, time_axis
from callboard.panel.palette import ACCENT, ORANGE, RED

WAITED, FORECAST, LIMIT = "Waited", "Forecast", "Limit"
#: How far ahead the forecast is drawn: as a share of what is drawn of the past, and at most. Where that is
#: too little to be seen, it is left out.
AHEAD, FARTHEST = 0.12, timedelta(hours=1)
SEEN = 0.02


def frame(backlog: Backlog) -> DataFrame:
    """One row a bucket, and one for each corner of the forecast; `limit` where the depth comes near it."""
    past = backlog.depths
    rows = [{"at": each.at, "depth": each.depth, "peak": each.peak} for each in past]
    told = backlog.forecast
    if told is not None and past:
        length = told.at - past[0].at
        ahead = min(length * AHEAD, FARTHEST)
        if ahead >= length * SEEN:
            rows += [{"at": at, "forecast": depth} for at, depth in line(told, ahead)]
    found = DataFrame(rows, columns=["at", "depth", "peak", "forecast"])
    highest = max((each.peak for each in past), default=0)
    if told is not None:
        highest = max([highest, *found["forecast"].dropna()])
    found["limit"] = backlog.limit if highest > backlog.limit / 3 else None
    return found


def words(found: DataFrame) -> tuple[str, ...]:
    """What the chart of that frame shows."""
    columns = {WAITED: "depth", FORECAST: "forecast", LIMIT: "limit"}
    return tuple(word for word, column in columns.items() if found[column].notna().any())


@lru_cache(maxsize=32)
def spec(hours: float, shown: tuple[str, ...], height: int = 190) -> Spec:
    """The chart over a window of that many hours."""
    colours = {WAITED: ACCENT, FORECAST: ORANGE, LIMIT: RED}
    scale = alt.Scale(domain=list(shown), range=[colours[word] for word in shown])
    key = legend(lines=True) if len(shown) > 1 else None
    x = alt.X("at:T", axis=time_axis(hours), scale=alt.Scale(nice=False))
    y = alt.Y("peak:Q", axis=count_axis(), scale=alt.Scale(zero=True, nice=True))
    told = [
        alt.Tooltip("at:T", title="From", format="%a %-d %b %H:%M"),
        alt.Tooltip("peak:Q", title="Waited at most", format=","),
        alt.Tooltip("depth:Q", title="on average", format=",.1f"),
    ]
    layers = [
        alt.Chart()
        .transform_filter("isValid(datum.peak)")
        .mark_area(opacity=0.25, line={"strokeWidth": 1.5}, interpolate="step-after")
        .encode(x=x, y=y, color=alt.ColorDatum(WAITED, scale=scale, legend=key), tooltip=told)
    ]
    if FORECAST in shown:
        layers.append(
            alt.Chart()
            .transform_filter("isValid(datum.forecast)")
            .mark_line(strokeWidth=2, strokeDash=[5, 4])
            .encode(x=x, y="forecast:Q", color=alt.ColorDatum(FORECAST, scale=scale))
        )
    if LIMIT in shown:
        layers.append(
            alt.Chart()
            .mark_rule(strokeWidth=1, strokeDash=[2, 3])
            .encode(y="max(limit):Q", color=alt.ColorDatum(LIMIT, scale=scale))
        )
    return finished(alt.layer(*layers), height=height)
