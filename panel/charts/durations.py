"""How long runs took over time: the band from the 10th to the 95th percentile, and the median."""

from functools import lru_cache

import altair as alt
from pandas import DataFrame

from callboard.control.reads.durations import Durations
from callboard.panel.charts.base import Spec, finished, span_axis, time_axis
from callboard.panel.palette import ACCENT


def frame(durations: Durations) -> DataFrame:
    """One row a bucket in which runs ended: `at` and the percentiles in seconds."""
    filled = [bucket for bucket in durations.buckets if bucket.p50_ms is not None]
    return DataFrame(
        {
            "at": [bucket.at for bucket in filled],
            "p10": [(bucket.p10_ms or 0) / 1000 for bucket in filled],
            "p50": [(bucket.p50_ms or 0) / 1000 for bucket in filled],
            "p95": [(bucket.p95_ms or 0) / 1000 for bucket in filled],
            "runs": [bucket.runs for bucket in filled],
        }
    )


@lru_cache(maxsize=16)
def spec(hours: float, height: int = 220) -> Spec:
    """The chart over a window of that many hours."""
    x = alt.X("at:T", axis=time_axis(hours), scale=alt.Scale(nice=False))
    nearest = alt.selection_point(
        name="nearest", on="pointerover", clear="pointerout", fields=["at"], nearest=True, empty=False
    )
    band = (
        alt.Chart()
        .mark_area(color=ACCENT, opacity=0.2, interpolate="monotone")
        .encode(x=x, y=alt.Y("p10:Q", axis=span_axis(), scale=alt.Scale(zero=True)), y2="p95:Q")
    )
    upper = alt.Chart().mark_line(color=ACCENT, opacity=0.45, strokeWidth=1, interpolate="monotone").encode(
        x=x, y="p95:Q"
    )
    median = alt.Chart().mark_line(color=ACCENT, strokeWidth=2, interpolate="monotone").encode(x=x, y="p50:Q")
    rule = (
        alt.Chart()
        .mark_rule(color=ACCENT, strokeWidth=1)
        .encode(
            x=x,
            opacity=alt.condition(nearest, alt.value(0.7), alt.value(0)),
            tooltip=[
                alt.Tooltip("at:T", title="From", format="%a %-d %b %H:%M"),
                alt.Tooltip("runs:Q", title="Runs", format=","),
                alt.Tooltip("p50:Q", title="Median (s)", format=",.2f"),
                alt.Tooltip("p95:Q", title="95th percentile (s)", format=",.2f"),
            ],
        )
        .add_params(nearest)
    )
    dots = alt.Chart().mark_point(color=ACCENT, filled=True, size=50).encode(
        x=x, y="p50:Q", opacity=alt.condition(nearest, alt.value(1), alt.value(0))
    )
    return finished(alt.layer(band, upper, median, rule, dots), height=height)
