"""What all charts have in common: quiet axes, one font size, legends above, times in the viewer's zone."""

from typing import Any, cast

import altair as alt
import streamlit as st
from pandas import DataFrame

from callboard.panel.parts import heading
from callboard.panel.parts.frames import clean

Spec = dict[str, Any]

#: Labels of a time axis: seconds do not matter, days have their date.
TIME_LABELS = {
    "hour": "%H:%M",
    "day": "%a %-d",
    "date": "%-d %b",
}

#: Units of spans: the word, how many ms it has, and the format of its axis labels.
UNITS = (("h", 3_600_000, ".1~f"), ("min", 60_000, ".1~f"), ("s", 1_000, ".1~f"), ("ms", 1, ".0f"))


def unit_of(longest_ms: float) -> str:
    """The unit that spans up to so many ms read best in."""
    return next((word for word, size, _ in UNITS if longest_ms >= 1.5 * size), "ms")


def in_unit(ms: float | None, unit: str) -> float | None:
    """A span of ms in a unit."""
    return None if ms is None else ms / next(size for word, size, _ in UNITS if word == unit)


def time_axis(hours: float) -> alt.Axis:
    """A time axis for a window of that many hours."""
    labels = "hour" if hours <= 30 else "day" if hours <= 24 * 8 else "date"
    return alt.Axis(
        title=None,
        format=TIME_LABELS[labels],
        tickCount=7,
        grid=False,
        domain=False,
        ticks=False,
        labelPadding=6,
        labelFlush=True,
        labelOverlap=True,
        labelBound=True,
    )


def count_axis() -> alt.Axis:
    """An axis of whole numbers."""
    return alt.Axis(
        title=None,
        # By itself a zero beside thousands would be "0k".
        labelExpr="format(datum.value, '~s')",
        tickCount=4,
        tickMinStep=1,
        domain=False,
        ticks=False,
        labelPadding=6,
    )


def span_axis(unit: str) -> alt.Axis:
    """An axis of spans in that unit."""
    written = next(form for word, _, form in UNITS if word == unit)
    return alt.Axis(
        title=None,
        labelExpr=f"format(datum.value, '{written}') + ' {unit}'",
        tickCount=4,
        domain=False,
        ticks=False,
        labelPadding=6,
    )


def legend(*, lines: bool = False) -> alt.Legend:
    """A legend above the chart, of squares or of strokes."""
    return alt.Legend(
        title=None,
        orient="top",
        direction="horizontal",
        symbolType="stroke" if lines else "square",
        symbolSize=110 if lines else 70,
        symbolStrokeWidth=2 if lines else 0,
        symbolOpacity=1,
        offset=4,
        padding=0,
        columnPadding=14,
    )


def finished(chart: alt.Chart | alt.LayerChart | alt.FacetChart, *, height: int) -> Spec:
    """The specification of a chart without its data."""
    plain: Spec = (
        chart.properties(height=height)
        .configure_view(strokeWidth=0)
        .configure_axis(gridOpacity=0.55)
        .to_dict(validate=False)
    )
    # Altair stands "empty" in for the missing data; without any, Streamlit puts its own there.
    plain.pop("datasets", None)
    for each in (plain, *plain.get("layer", ())):
        each.pop("data", None)
    plain["padding"] = {"left": 0, "top": 0, "right": 4, "bottom": 4}
    plain["autosize"] = {"type": "fit", "contains": "padding"}
    return plain


def in_utc(spec: Spec) -> Spec:
    """The same chart with its times in UTC: axes and what is said of whatever is pointed at."""

    def turned(part: Any) -> Any:
        if isinstance(part, list):
            return [turned(each) for each in part]
        if not isinstance(part, dict):
            return part
        found = {name: turned(each) for name, each in part.items()}
        return _in_utc(found) if found.get("type") == "temporal" else found

    return cast(Spec, turned(spec))


def with_utc(spec: Spec) -> Spec:
    """The same chart; what is said of whatever is pointed at tells its moments in UTC as well."""

    def told(part: Any, name: str = "") -> Any:
        if isinstance(part, list):
            found = [told(each) for each in part]
            return [both for each in found for both in _beside_utc(each)] if name == "tooltip" else found
        if isinstance(part, dict):
            return {name: told(each, name) for name, each in part.items()}
        return part

    return cast(Spec, told(spec))


def _beside_utc(said: Spec) -> tuple[Spec, ...]:
    if said.get("type") != "temporal":
        return (said,)
    return said, {**_in_utc(said), "title": f"{said['title']} (UTC)"}


def _in_utc(said: Spec) -> Spec:
    return {**said, "scale": {**(said.get("scale") or {}), "type": "utc"}}


def draw(frame: DataFrame, spec: Spec, *, key: str, alt: str) -> None:
    """Put a chart on the page. `alt` says in a sentence what it shows."""
    shown = in_utc(spec) if heading.in_utc() else spec if heading.viewer_zone() == "UTC" else with_utc(spec)
    st.vega_lite_chart(clean(frame), shown, key=key, alt=alt, width="stretch")
