"""How a queue or one of its jobs came to where it is: a card a figure, each with what is usual."""

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from callboard.control.reads.backlog import Backlog
from callboard.control.reads.spans import Span
from callboard.core.display import span
from callboard.core.health import Change, Trend
from callboard.panel.charts import backlog as backlog_chart
from callboard.panel.charts import base, threads
from callboard.panel.charts import trend as charts
from callboard.panel.parts.heading import card_title, nothing

#: The spans by their words, and how many hours each has.
SPANS: dict[str, Span] = {"Hour": "hour", "Day": "day", "Week": "week", "90 days": "90days"}
HOURS: dict[Span, float] = {"hour": 1, "day": 24, "week": 168, "90days": 2160}
#: What a bucket of each is.
WIDTHS: dict[Span, str] = {"hour": "minute", "day": "hour", "week": "6 hours", "90days": "day"}
#: Fewer buckets than this are drawn with dots.
FEW = 20
Figure = Literal["wait", "duration"]


def throughput_card(trend: Trend, over: Span) -> None:
    """Put what ended on the page."""
    card_title("Throughput", _note(f"runs that ended per {WIDTHS[over]}", trend.changes, "throughput"))
    width = trend.points[1].at - trend.points[0].at
    found = charts.counts(trend, round(width.total_seconds()))
    if not found["ended"].any():
        return _nothing(over)
    spec = charts.counts_spec(HOURS[over], usual=charts.known(found, "usual"))
    base.draw(found, spec, key=f"throughput_{over}", alt="Runs that ended over time, and what is usual")
    return None


def failures_card(trend: Trend, over: Span) -> None:
    """Put the share that failed on the page."""
    card_title("Failure rate", _note(f"per {WIDTHS[over]}", trend.changes, "failure_rate"))
    found = charts.rates(trend)
    if not len(found):
        return _nothing(over)
    spec = charts.rates_spec(HOURS[over], usual=charts.known(found, charts.USUAL), few=len(found) < FEW)
    base.draw(found, spec, key=f"failure_rate_{over}", alt="The share of runs that failed over time")
    return None


def percentiles_card(trend: Trend, over: Span, figure: Figure, title: str, note: str) -> None:
    """Put the percentiles of a figure on the page."""
    card_title(title, _note(note, trend.changes, f"{figure}_p95_ms"))
    found = charts.percentiles(trend, figure)
    if not len(found):
        return _nothing(over)
    usual = charts.known(found, "Usual 95th")
    spec = charts.percentiles_spec(HOURS[over], charts.unit(trend, figure), usual=usual, few=len(found) < FEW)
    base.draw(found, spec, key=f"{figure}_{over}", alt=f"Percentiles of the {figure} over time")
    return None


def backlog_card(backlog: Backlog, over: Span) -> None:
    """Put what waited, and where that goes, on the page."""
    short = HOURS[over] * 3600 > backlog.kept_s
    kept = f", samples are kept for {span(backlog.kept_s * 1000).replace(' 0 h', '')}" if short else ""
    card_title("Backlog", f"runs that wait{kept}")
    found = backlog_chart.frame(backlog)
    if not backlog.depths:
        nothing("timeline", "Nothing was sampled yet: a scheduler does so every ten seconds.", height=190)
        return
    shown = backlog_chart.words(found)
    base.draw(
        found,
        backlog_chart.spec(HOURS[over], shown),
        key=f"backlog_{over}",
        alt="How much waited over time, and the forecast",
    )
    if backlog.forecast is not None:
        st.caption(str(backlog.forecast))


def threads_card(backlog: Backlog, over: Span) -> None:
    """Put on the page how many threads there were, and how many of them the queue kept busy."""
    card_title("Threads", "with work of this queue, of those there are" if backlog.depths else None)
    if not backlog.depths:
        nothing("memory", "Nothing was sampled yet: a scheduler does so every ten seconds.", height=190)
        return
    base.draw(
        threads.frame(backlog),
        threads.spec(HOURS[over]),
        key=f"threads_{over}",
        alt="How many threads served the queue over time, and how many of them had its work",
    )


def _note(what: str, changes: Sequence[Change], figure: str) -> str:
    """What a card's numbers are, and how they compare with the time before."""
    change = next((each for each in changes if each.figure == figure), None)
    if change is None or change.direction in ("unknown", "steady"):
        return what
    return f"{what}, {change.direction}"


def window_word(over: Span) -> str:
    """The span, as in "the last hour"."""
    return "90 days" if over == "90days" else over


def _nothing(over: Span) -> None:
    nothing("show_chart", f"Nothing ended in the last {window_word(over)}.", height=190)
