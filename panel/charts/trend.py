"""How a queue or a job came to where it is: what ended, what failed, percentiles; each with what is usual."""

from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any, Literal

import altair as alt
from pandas import DataFrame

from callboard.core.health import Point, Trend, Usual
from callboard.panel.charts.base import (
    Spec,
    count_axis,
    finished,
    in_unit,
    legend,
    span_axis,
    time_axis,
    unit_of,
)
from callboard.panel.palette import ACCENT, GREY, RED, VIOLET

ENDED, FAILED, USUAL = "Ended", "Failed", "Usual"
#: The percentiles, the colour of each, and what is usual for the middle one.
LINES = {"Median": ACCENT, "95th": VIOLET, "99th": "#D77BB8", "Usual 95th": GREY}
HEIGHT = 190
#: A bar is this much of its bucket wide.
BAR = 0.8


def counts(trend: Trend, width_s: int) -> DataFrame:
    """One row a bucket: when (`at` to `upto`), what ended, and what is usual."""
    width = timedelta(seconds=width_s)
    pairs = _shown(trend)
    points = [point for point, _ in pairs]
    return DataFrame(
        {
            "at": [each.at for each in points],
            "upto": [each.at + width * BAR for each in points],
            "middle": [each.at + width * BAR / 2 for each in points],
            # A bar with both ends of its width given needs those of its height too.
            "low": 0,
            "ended": [each.finished for each in points],
            "usual": [usual.finished for _, usual in pairs],
        }
    )


def rates(trend: Trend) -> DataFrame:
    """One row a bucket in which runs ended: the share that failed, and what is usual."""
    filled = [(point, usual) for point, usual in _shown(trend) if point.failure_rate is not None]
    return DataFrame(
        {
            "at": [point.at for point, _ in filled],
            FAILED: [point.failure_rate for point, _ in filled],
            USUAL: [usual.failure_rate for _, usual in filled],
            "runs": [point.finished for point, _ in filled],
        }
    )


def unit(trend: Trend, figure: str) -> str:
    """The unit that the percentiles of `wait` or `duration` are drawn in."""
    return unit_of(max((getattr(point, f"{figure}_p99_ms") or 0 for point, _ in _shown(trend)), default=0))


def percentiles(trend: Trend, figure: str) -> DataFrame:
    """One row a bucket that has any: the percentiles of `wait` or `duration`, in their unit."""
    drawn = unit(trend, figure)
    filled = [pair for pair in _shown(trend) if getattr(pair[0], f"{figure}_p50_ms") is not None]
    names = dict(zip(LINES, ("p50", "p95", "p99"), strict=False))
    columns: dict[str, list[Any]] = {"at": [point.at for point, _ in filled]}
    for word, q in names.items():
        columns[word] = [in_unit(getattr(point, f"{figure}_{q}_ms"), drawn) for point, _ in filled]
    columns["Usual 95th"] = [in_unit(getattr(usual, f"{figure}_p95_ms"), drawn) for _, usual in filled]
    return DataFrame(columns)


@lru_cache(maxsize=16)
def counts_spec(hours: float, *, usual: bool) -> Spec:
    """The chart of what ended, over a window of that many hours."""
    words = [ENDED, USUAL] if usual else [ENDED]
    colour = alt.Scale(domain=words, range=[ACCENT, GREY][: len(words)])
    x = alt.X("at:T", axis=time_axis(hours), scale=alt.Scale(nice=False))
    tooltip = [
        alt.Tooltip("at:T", title="From", format="%a %-d %b %H:%M"),
        alt.Tooltip("ended:Q", title="Runs that ended", format=","),
        alt.Tooltip("usual:Q", title="Usually", format=",.1f"),
    ]
    bars = (
        alt.Chart()
        .mark_bar(opacity=0.72, strokeWidth=0)
        .encode(
            x=x,
            x2="upto:T",
            y=alt.Y("low:Q", axis=count_axis(), scale=alt.Scale(zero=True, nice=True)),
            y2="ended:Q",
            color=alt.ColorDatum(ENDED, scale=colour, legend=legend() if usual else None),
            tooltip=tooltip,
        )
    )
    line = (
        alt.Chart()
        .mark_line(strokeWidth=1.5, strokeDash=[4, 3], interpolate="step")
        .encode(x="middle:T", y="usual:Q", color=alt.ColorDatum(USUAL, scale=colour))
    )
    return finished(alt.layer(bars, line) if usual else alt.layer(bars), height=HEIGHT)


@lru_cache(maxsize=32)
def rates_spec(hours: float, *, usual: bool, few: bool) -> Spec:
    """The chart of what failed; with dots where there are `few` buckets."""
    lines = {FAILED: RED, USUAL: GREY} if usual else {FAILED: RED}
    axis = alt.Axis(title=None, format="~%", tickCount=4, domain=False, ticks=False, labelPadding=6)
    y = alt.Y("value:Q", axis=axis, scale=alt.Scale(zero=True, nice=True, domainMin=0))
    told = [
        alt.Tooltip("runs:Q", title="Runs that ended", format=","),
        *(alt.Tooltip(f"{word}:Q", title=word, format=".1%") for word in lines),
    ]
    # A share holds for its bucket; a curve through those beside it would make up what never was.
    return _lines(hours, lines, y, told, few=few, interpolate="step-after")


@lru_cache(maxsize=64)
def percentiles_spec(hours: float, drawn: str, *, usual: bool, few: bool) -> Spec:
    """The chart of percentiles, in that unit; with dots where there are `few` buckets."""
    lines = {word: colour for word, colour in LINES.items() if usual or word in list(LINES)[:3]}
    y = alt.Y("value:Q", axis=span_axis(drawn), scale=alt.Scale(zero=True, nice=True))
    told = [alt.Tooltip(f"{word}:Q", title=f"{word} ({drawn})", format=",.2f") for word in lines]
    return _lines(hours, lines, y, told, few=few)


def _lines(
    hours: float,
    lines: dict[str, str],
    y: alt.Y,
    told: Sequence[alt.Tooltip],
    *,
    few: bool,
    interpolate: Literal["monotone", "step-after"] = "monotone",
) -> Spec:
    """A line a column, those of what is usual dashed, and a rule that tells all of them at a moment."""
    x = alt.X("at:T", axis=time_axis(hours), scale=alt.Scale(nice=False))
    words = list(lines)
    nearest = alt.selection_point(
        name="nearest", on="pointerover", clear="pointerout", fields=["at"], nearest=True, empty=False
    )
    drawn = (
        alt.Chart()
        .transform_fold([*words], as_=["line", "value"])
        .mark_line(interpolate=interpolate, strokeWidth=1.75, point={"size": 22} if few else False)
        .encode(
            x=x,
            y=y,
            color=alt.Color(
                "line:N",
                scale=alt.Scale(domain=words, range=list(lines.values())),
                legend=legend(lines=True) if len(words) > 1 else None,
                sort=None,
            ),
            strokeDash=alt.StrokeDash(
                "line:N",
                scale=alt.Scale(
                    domain=words, range=[[4, 3] if word.startswith(USUAL) else [1, 0] for word in words]
                ),
                legend=None,
            ),
        )
    )
    rule = (
        alt.Chart()
        .mark_rule(color=ACCENT, strokeWidth=1)
        .encode(
            x=x,
            opacity=alt.condition(nearest, alt.value(0.7), alt.value(0)),
            tooltip=[alt.Tooltip("at:T", title="From", format="%a %-d %b %H:%M"), *told],
        )
        .add_params(nearest)
    )
    return finished(alt.layer(drawn, rule), height=HEIGHT)


def known(frame: DataFrame, column: str) -> bool:
    """Whether what is usual is known of any of the rows."""
    return bool(len(frame)) and bool(frame[column].notna().any())


def _shown(trend: Trend) -> list[tuple[Point, Usual]]:
    """The buckets that are over, with what is usual. The last one is not, and would always look like a slump;
    it is there where nothing ended before, as on the first day.
    """
    pairs = list(zip(trend.points, trend.usual, strict=True))
    return pairs[:-1] if any(point.finished for point, _ in pairs[:-1]) else pairs
