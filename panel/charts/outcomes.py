"""What became of runs over time: stacked bars, one a bucket."""

from datetime import timedelta
from functools import lru_cache

import altair as alt
from pandas import DataFrame

from callboard.control.reads.trends import OutcomeBucket, Outcomes
from callboard.panel.charts.base import Spec, count_axis, finished, legend, time_axis
from callboard.panel.palette import CHART, LOOKS, OUTCOMES

#: A bar is this much of its bucket wide; the rest is the gap to the next.
BAR = 0.82


def frame(outcomes: Outcomes) -> DataFrame:
    """One row a bucket and state: when (`at` to `upto`), and its stretch of the stack (`low` to `high`).

    Each row also has the counts of its whole bucket, a column a word, for the tooltip; `rank` is 0 in one
    row of each bucket. The last bucket, which is not over yet, is left out if there are others. The stacking
    is done here, as Vega does not stack bars that have both ends given.
    """
    width = timedelta(seconds=outcomes.width_s)
    words = present(outcomes)
    states = [state for state in OUTCOMES if LOOKS[state].word in words]
    rows = []
    finished = outcomes.buckets[:-1]
    for bucket in finished if any(map(total, finished)) else outcomes.buckets:
        counts = {LOOKS[state].word: getattr(bucket, state.value) for state in states}
        moments = {"at": bucket.at, "upto": bucket.at + width * BAR, "until": bucket.at + width}
        high = 0
        for rank, (word, runs) in enumerate(counts.items()):
            low, high = high, high + runs
            rows.append({**moments, "state": word, "rank": rank, "low": low, "high": high, **counts})
    return DataFrame(rows)


def empty(outcomes: Outcomes) -> bool:
    """Whether nothing ended in the window."""
    return not any(total(bucket) for bucket in outcomes.buckets)


def width_word(outcomes: Outcomes) -> str:
    """The width of a bucket, in words: `hour`, `5 minutes`."""
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if outcomes.width_s % size == 0:
            number = outcomes.width_s // size
            return name if number == 1 else f"{number} {name}s"
    return f"{outcomes.width_s} s"


def total(bucket: OutcomeBucket) -> int:
    """How many runs ended in a bucket."""
    return bucket.succeeded + bucket.failed + bucket.dead + bucket.cancelled + bucket.skipped


def present(outcomes: Outcomes) -> tuple[str, ...]:
    """The words of the states that occur; success always does."""
    return tuple(
        LOOKS[state].word
        for state in OUTCOMES
        if state.value == "succeeded" or any(getattr(bucket, state.value) for bucket in outcomes.buckets)
    )


@lru_cache(maxsize=64)
def spec(words: tuple[str, ...], hours: float, height: int = 232) -> Spec:
    """The chart of those states over a window of that many hours."""
    x = alt.X("at:T", axis=time_axis(hours), scale=alt.Scale(nice=False))
    hover = alt.selection_point(name="hover", on="pointerover", clear="pointerout", fields=["at"])
    bars = (
        alt.Chart()
        .mark_bar(strokeWidth=0)
        .encode(
            x=x,
            x2="upto:T",
            y=alt.Y("low:Q", stack=None, axis=count_axis(), scale=alt.Scale(zero=True, nice=True)),
            y2="high:Q",
            color=alt.Color(
                "state:N",
                scale=alt.Scale(domain=list(words), range=[CHART[word] for word in words]),
                legend=legend(),
                sort=None,
            ),
            opacity=alt.condition(hover, alt.value(1), alt.value(0.75), empty=True),
        )
    )
    touch = (
        alt.Chart()
        .transform_filter("datum.rank === 0")
        .mark_bar(opacity=0.001)
        .encode(
            x=x,
            x2="until:T",
            y=alt.value(0),
            y2=alt.value("height"),
            tooltip=[
                alt.Tooltip("at:T", title="From", format="%a %-d %b %H:%M"),
                *(alt.Tooltip(f"{word}:Q", title=word, format=",") for word in words),
            ],
        )
        .add_params(hover)
    )
    return finished(alt.layer(bars, touch), height=height)
