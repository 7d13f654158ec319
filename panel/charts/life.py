"""The life of one run: what it waited for and what it did, one bar a step."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import altair as alt
from pandas import DataFrame

from callboard.control.reads.runs import RunDetail
from callboard.core.display import span
from callboard.panel.charts.base import Spec, finished
from callboard.panel.palette import LOOKS, look

WAITING = "Waiting"


@dataclass(frozen=True, slots=True)
class Step:
    """One stretch of a run's life. `word` is what it is coloured by."""

    name: str
    word: str
    start: datetime
    end: datetime


def steps(detail: RunDetail, now: datetime) -> list[Step]:
    """The stretches of a run in order; the last one of an unfinished run ends now."""
    run = detail.run
    due = run.due_at or run.enqueued_at
    before = min(due, run.enqueued_at)
    found: list[Step] = []
    attempts = [attempt for attempt in detail.attempts if attempt.started_at is not None]
    if not attempts and run.attempt_started_at is not None:
        end = run.finished_at or now
        return [
            Step("Queued", WAITING, before, max(before, run.attempt_started_at)),
            Step(f"Attempt {run.attempt}", look(run.state).word, run.attempt_started_at, end),
        ]
    for number, attempt in enumerate(attempts):
        start = attempt.started_at or before
        found.append(Step("Retry wait" if number else "Queued", WAITING, before, start))
        end = attempt.finished_at or now
        found.append(Step(f"Attempt {attempt.attempt}", look(attempt.state).word, start, end))
        before = end
    if run.state in ("pending", "processing") and run.attempt > len(attempts) and run.finished_at is None:
        running = run.attempt_started_at if run.state == "processing" else None
        found.append(Step("Retry wait" if attempts else "Queued", WAITING, before, running or now))
        if running is not None:
            found.append(Step(f"Attempt {run.attempt}", look(run.state).word, running, now))
    return found


def frame(steps: Sequence[Step]) -> DataFrame:
    """One row a step, in order."""
    took = [span(max(0.0, (step.end - step.start).total_seconds() * 1000)) for step in steps]
    return DataFrame(
        {
            # The number keeps two steps of one name apart; the axis does not show it.
            "step": [
                f"{number}|{step.name}, {length}"
                for number, (step, length) in enumerate(zip(steps, took, strict=True))
            ],
            "label": [step.name for step in steps],
            "word": [step.word for step in steps],
            "start": [step.start for step in steps],
            "end": [max(step.end, step.start) for step in steps],
            "took": took,
        }
    )


@lru_cache(maxsize=64)
def spec(words: tuple[str, ...], rows: int, *, brief: bool) -> Spec:
    """The chart of that many steps of those kinds; with milliseconds on its axis for what was brief."""
    colours = {each.word: each.colour for each in LOOKS.values()}
    y = alt.Y(
        "step:N",
        sort=None,
        axis=alt.Axis(
            title=None,
            domain=False,
            ticks=False,
            labelExpr="slice(datum.label, indexof(datum.label, '|') + 1)",
            labelLimit=220,
            labelPadding=8,
        ),
        scale=alt.Scale(paddingInner=0.35, paddingOuter=0.15),
    )
    x = alt.X(
        "start:T",
        scale=alt.Scale(nice=False),
        axis=alt.Axis(
            title=None,
            format="%H:%M:%S.%L" if brief else "%H:%M:%S",
            tickCount=4,
            domain=False,
            ticks=False,
            labelOverlap=True,
        ),
    )
    colour = alt.Color(
        "word:N", scale=alt.Scale(domain=list(words), range=[colours[word] for word in words]), legend=None
    )
    bars = (
        alt.Chart()
        .mark_bar(cornerRadiusEnd=3)
        .encode(
            x=x,
            x2="end:T",
            y=y,
            color=colour,
            tooltip=[
                alt.Tooltip("label:N", title="Step"),
                alt.Tooltip("word:N", title="Outcome"),
                alt.Tooltip("took:N", title="Took"),
                alt.Tooltip("start:T", title="From", format="%-d %b %H:%M:%S.%L"),
                alt.Tooltip("end:T", title="To", format="%-d %b %H:%M:%S.%L"),
            ],
        )
    )
    # A step of a few milliseconds would be no wider than a hair.
    ticks = (
        alt.Chart()
        .mark_tick(orient="vertical", thickness=3, size=17, opacity=1)
        .encode(x="start:T", y=y, color=colour)
    )
    return finished(alt.layer(ticks, bars), height=34 * rows + 30)
