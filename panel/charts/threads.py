"""How many threads served a queue over time, and how many of them had its work."""

from functools import lru_cache

import altair as alt
from pandas import DataFrame

from callboard.control.reads.backlog import Backlog
from callboard.panel.charts.base import Spec, count_axis, finished, legend, time_axis
from callboard.panel.palette import ACCENT, GREY

BUSY, THERE = "Busy", "There are"


def frame(backlog: Backlog) -> DataFrame:
    """One row a bucket that was sampled; `share` is busy of slots, None where there was no thread."""
    rows = [(each.at, each.busy, each.slots, each.utilisation) for each in backlog.depths]
    return DataFrame(rows, columns=["at", "busy", "slots", "share"])


@lru_cache(maxsize=16)
def spec(hours: float, height: int = 190) -> Spec:
    """The chart over a window of that many hours."""
    scale = alt.Scale(domain=[BUSY, THERE], range=[ACCENT, GREY])
    x = alt.X("at:T", axis=time_axis(hours), scale=alt.Scale(nice=False))
    told = [
        alt.Tooltip("at:T", title="From", format="%a %-d %b %H:%M"),
        alt.Tooltip("busy:Q", title="Busy on average", format=",.1f"),
        alt.Tooltip("slots:Q", title="of threads", format=",.1f"),
        alt.Tooltip("share:Q", title="Share", format=".0%"),
    ]
    busy = (
        alt.Chart()
        .mark_area(opacity=0.25, line={"strokeWidth": 1.5}, interpolate="step-after")
        .encode(
            x=x,
            y=alt.Y("busy:Q", axis=count_axis(), scale=alt.Scale(zero=True, nice=True)),
            color=alt.ColorDatum(BUSY, scale=scale, legend=legend(lines=True)),
            tooltip=told,
        )
    )
    there = (
        alt.Chart()
        .mark_line(strokeWidth=1.5, interpolate="step-after")
        .encode(x=x, y="slots:Q", color=alt.ColorDatum(THERE, scale=scale), tooltip=told)
    )
    return finished(alt.layer(busy, there), height=height)
