"""How long runs took, one dot a run: for jobs that run seldom, where percentiles would say little."""

from collections.abc import Sequence
from functools import lru_cache

import altair as alt
from pandas import DataFrame

from callboard.control.reads.runs import Run
from callboard.core.display import span
from callboard.panel.charts.base import Spec, finished, in_unit, legend, span_axis, time_axis, unit_of
from callboard.panel.palette import LOOKS, look

#: Up to so many runs are drawn one by one.
MOST = 300


def frame(runs: Sequence[Run]) -> DataFrame:
    """One row a run that has ended: when it began, how long it `took` in the chart's unit, its state."""
    ended = [run for run in runs if run.ended and run.started_at is not None and run.duration_ms is not None]
    drawn = unit(runs)
    return DataFrame(
        {
            "at": [run.attempt_started_at or run.started_at for run in ended],
            "took": [in_unit(run.duration_ms, drawn) for run in ended],
            "state": [look(run.state).word for run in ended],
            "said": [span(run.duration_ms) for run in ended],
            "run": [str(run.run_id)[:8] for run in ended],
        }
    )


def unit(runs: Sequence[Run]) -> str:
    """The unit that the chart is drawn in."""
    return unit_of(max((run.duration_ms or 0 for run in runs), default=0))


@lru_cache(maxsize=64)
def spec(words: tuple[str, ...], hours: float, drawn: str, height: int = 232) -> Spec:
    """The chart of runs that ended in those states."""
    colours = {each.word: each.colour for each in LOOKS.values()}
    chart = (
        alt.Chart()
        .mark_point(filled=True, size=46, opacity=0.8)
        .encode(
            x=alt.X("at:T", axis=time_axis(hours), scale=alt.Scale(nice=False)),
            y=alt.Y("took:Q", axis=span_axis(drawn), scale=alt.Scale(zero=True, nice=True)),
            color=alt.Color(
                "state:N",
                scale=alt.Scale(domain=list(words), range=[colours[word] for word in words]),
                legend=legend(),
            ),
            tooltip=[
                alt.Tooltip("at:T", title="Began", format="%a %-d %b %H:%M:%S"),
                alt.Tooltip("said:N", title="Took"),
                alt.Tooltip("state:N", title="Outcome"),
                alt.Tooltip("run:N", title="Run"),
            ],
        )
    )
    return finished(chart, height=height)
