"""What all charts have in common: quiet axes, one font size, legends above, times in the viewer's zone."""

from typing import Any

import altair as alt
import streamlit as st
from pandas import DataFrame

Spec = dict[str, Any]

#: Labels of a time axis: seconds do not matter, days have their date.
TIME_LABELS = {
    "hour": "%H:%M",
    "day": "%a %-d",
    "date": "%-d %b",
}

#: A span in seconds, as an expression over an axis label's value.
SPAN_LABEL = (
    "datum.value >= 3600 ? format(datum.value / 3600, '~g') + ' h'"
    " : datum.value >= 60 ? format(datum.value / 60, '~g') + ' min'"
    " : datum.value >= 1 || datum.value == 0 ? format(datum.value, '~g') + ' s'"
    " : format(datum.value * 1000, '~g') + ' ms'"
)


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
        title=None, format="~s", tickCount=4, tickMinStep=1, domain=False, ticks=False, labelPadding=6
    )


def span_axis() -> alt.Axis:
    """An axis of spans given in seconds."""
    return alt.Axis(title=None, labelExpr=SPAN_LABEL, tickCount=4, domain=False, ticks=False, labelPadding=6)


def legend() -> alt.Legend:
    return alt.Legend(
        title=None,
        orient="top",
        direction="horizontal",
        symbolType="square",
        symbolSize=70,
        symbolStrokeWidth=0,
        offset=4,
        padding=0,
        columnPadding=14,
    )


def finished(chart: alt.Chart | alt.LayerChart, *, height: int) -> Spec:
    """The specification of a chart without its data."""
    plain = chart.properties(height=height).configure_view(strokeWidth=0).to_dict(validate=False)
    plain.pop("data", None)
    plain.pop("datasets", None)
    plain["autosize"] = {"type": "fit", "contains": "padding"}
    return plain


def draw(frame: DataFrame, spec: Spec, *, key: str, alt: str) -> None:
    """Put a chart on the page. `alt` says in a sentence what it shows."""
    st.vega_lite_chart(frame, spec, key=key, alt=alt, width="stretch")
