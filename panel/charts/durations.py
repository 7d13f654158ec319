"""How long many runs took over time: the band from the 10th to the 95th percentile, and the median."""

from functools import lru_cache

import altair as alt
from pandas import DataFrame

from callboard.control.reads.durations import Durations
from callboard.panel.charts.base import Spec, finished, in_unit, span_axis, time_axis, unit_of
from callboard.panel.palette import ACCENT


def unit(durations: Durations) -> str:
    """The unit that the chart is drawn in."""
    return unit_of(max((bucket.p95_ms or 0 for bucket in durations.buckets), default=0))


def frame(durations: Durations) -> DataFrame:
    """One row a bucket in which runs ended: `at`, how many `runs`, and percentiles in the chart's unit."""
    filled = [bucket for bucket in durations.buckets if bucket.p50_ms is not None]
    drawn = unit(durations)
    return DataFrame(
        {
            "at": [bucket.at for bucket in filled],
            "p10": [in_unit(bucket.p10_ms, drawn) for bucket in filled],
            "p50": [in_unit(bucket.p50_ms, drawn) for bucket in filled],
            "p95": [in_unit(bucket.p95_ms, drawn) for bucket in filled],
            "runs": [bucket.runs for bucket in filled],
        }
    )


@lru_cache(maxsize=16)
def spec(hours: float, drawn: str, height: int = 232) -> Spec:
    """The chart over a window of that many hours, in that unit."""
    x = alt.X("at:T", axis=time_axis(hours), scale=alt.Scale(nice=False))
    nearest = alt.selection_point(
        name="nearest", on="pointerover", clear="pointerout", fields=["at"], nearest=True, empty=False
    )
    y = alt.Y("p10:Q", axis=span_axis(drawn), scale=alt.Scale(zero=True, nice=True))
    band = (
        alt.Chart().mark_area(color=ACCENT, opacity=0.2, interpolate="monotone").encode(x=x, y=y, y2="p95:Q")
    )
    upper = (
        alt.Chart()
        .mark_line(color=ACCENT, opacity=0.45, strokeWidth=1, interpolate="monotone")
        .encode(x=x, y="p95:Q")
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
                alt.Tooltip("p50:Q", title=f"Median ({drawn})", format=",.2f"),
                alt.Tooltip("p95:Q", title=f"95th percentile ({drawn})", format=",.2f"),
            ],
        )
        .add_params(nearest)
    )
    dots = (
        alt.Chart()
        .mark_point(color=ACCENT, filled=True, size=50)
        .encode(x=x, y="p50:Q", opacity=alt.condition(nearest, alt.value(1), alt.value(0)))
    )
    return finished(alt.layer(band, upper, median, rule, dots), height=height)
