"""Runs that succeeded: did one take unusually long or short, or do unusually little?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from callboard.core.anomalies.baseline import Baseline, Usual
from callboard.core.anomalies.finding import Finding
from callboard.core.display import many, span

#: The successes that a run is compared with: at most, and at least.
COMPARED = 50
ENOUGH = 20
#: Counts that say what a run usually processes.
ENOUGH_COUNTS = 30
#: Runs at the same hour of the week, from which on only they are compared with.
ENOUGH_AT_HOUR = 8
#: Deviations, and times the usual, from which on something is strange.
FAR = 3.5
LONGER, SHORTER = 1.5, 0.5
#: Differences below this (ms) are noise, of the machine as much as of the job.
NOISE_MS = 100
#: Runs below which the first percentile is only the shortest of a few.
ENOUGH_FOR_P1 = 100


class Took(Protocol):
    """What a run is compared with: how long one took (ms), and the count that its result tells, if any."""

    @property
    def duration_ms(self) -> float: ...
    @property
    def processed(self) -> float | None: ...


class Success(NamedTuple):
    """A run that succeeded, as far as others are compared with it."""

    duration_ms: float
    processed: float | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that succeeded. `processed` is the count that its result tells, where it does."""

    run_id: UUID
    ended_at: datetime
    duration_ms: float
    processed: float | None = None


def plain(run: Took, before: Sequence[Took]) -> bool:
    """Whether a glance says that nothing is out of the ordinary about a run; `judge_run` looks closely.

    `before` are the successes before it, the latest first.
    """
    compared = before[:COMPARED]
    return _plain_duration(run.duration_ms, compared) and _plain_volume(run.processed, compared)


def _plain_duration(ms: float, compared: Sequence[Took]) -> bool:
    if len(compared) < ENOUGH:
        return True
    took = sorted([each.duration_ms for each in compared])
    # The median lies between the two in the middle, whichever way it is told.
    low, high = max(1.0, took[(len(took) - 1) // 2]), max(1.0, took[len(took) // 2])
    return SHORTER * high < ms < LONGER * low or max(abs(ms - low), abs(ms - high)) < NOISE_MS


def _plain_volume(processed: float | None, compared: Sequence[Took]) -> bool:
    if processed is None:
        return True
    seen = [each.processed for each in compared if each.processed is not None]
    return len(seen) < ENOUGH_COUNTS or SHORTER * min(seen) <= processed <= LONGER * max(seen)


def usual_of(before: Sequence[Took]) -> Baseline | None:
    """What is usual by the successes before a run, the latest first; None where there are too few."""
    compared = before[:COMPARED]
    return Baseline.of([each.duration_ms for each in compared]) if len(compared) >= ENOUGH else None


def unusual(run: Took, usual: Baseline | None) -> bool:
    """Whether a run's duration is far from what is usual."""
    return usual is not None and _deviates(run.duration_ms, usual)


def half(run: Took, usual: Baseline | None) -> bool:
    """Whether a run took so little that percentiles have a say about it."""
    return usual is not None and run.duration_ms < SHORTER * usual.median


def judge_run(
    job: str,
    run: Ended,
    before: Sequence[Took],
    *,
    usual: Baseline | None = None,
    percentiles: Usual | None = None,
    at_hour: Baseline | None = None,
) -> Iterator[Finding]:
    """What is out of the ordinary about a run, of at most one finding a kind.

    `before` are the successes before it, the latest first, and `usual` what `usual_of` says of them, where it
    has been asked already. `at_hour` are the durations at the same hour of
    the week, which decide where there are enough of them.
    """
    usual, of = usual or usual_of(before), f"the last {min(len(before), COMPARED)} successes"
    suspicious = _too_short(run, usual, percentiles) or _odd_volume(run, before)
    if suspicious is not None:
        text, ratio = suspicious
        yield Finding("suspicious_success", job, text, run.ended_at, run_id=run.run_id, ratio=ratio)
    if at_hour is not None and at_hour.count >= ENOUGH_AT_HOUR:
        usual, of = at_hour, f"{many(at_hour.count, 'run')} at this hour of the week"
    if usual is None or not _deviates(run.duration_ms, usual):
        return
    ratio = run.duration_ms / usual.median
    if ratio < 1 and suspicious is not None:
        return
    times = f"{ratio:.1f} times" if ratio > 1 else f"{ratio:.0%} of"
    text = f"It took {span(run.duration_ms)}, {times} the usual {span(usual.median)}: the median of {of}."
    yield Finding("duration", job, text, run.ended_at, run_id=run.run_id, ratio=ratio)


def _deviates(ms: float, usual: Baseline) -> bool:
    ratio = ms / usual.median
    return (
        (ratio >= LONGER or ratio <= SHORTER)
        and abs(ms - usual.median) >= NOISE_MS
        and abs(usual.z(ms)) > FAR
    )


def _too_short(run: Took, usual: Baseline | None, percentiles: Usual | None) -> tuple[str, float] | None:
    if usual is None or percentiles is None or percentiles.runs < ENOUGH_FOR_P1:
        return None
    short = run.duration_ms < SHORTER * usual.median and run.duration_ms < percentiles.p1_ms
    if not short or usual.median - run.duration_ms < NOISE_MS:
        return None
    text = (
        f"It succeeded in {span(run.duration_ms)}; usual is {span(usual.median)}, and 99 % of"
        f" {many(percentiles.runs, 'run')} took {span(percentiles.p1_ms)} or more."
    )
    return text, run.duration_ms / usual.median


def _odd_volume(run: Took, before: Sequence[Took]) -> tuple[str, float] | None:
    if run.processed is None:
        return None
    seen = [each.processed for each in before[:COMPARED] if each.processed is not None]
    if len(seen) < ENOUGH_COUNTS:
        return None
    low, high = min(seen), max(seen)
    usual = Baseline.of([each + 1 for each in seen])
    # A little beyond what was seen is where the next record of any healthy count lies.
    beyond = run.processed < SHORTER * low or run.processed > LONGER * high
    if usual is None or not beyond or abs(usual.z(run.processed + 1)) <= FAR:
        return None
    text = (
        f"It processed {run.processed:,.0f}; the last {len(seen)} successes processed"
        f" {low:,.0f} to {high:,.0f} each."
    )
    return text, (run.processed + 1) / usual.median
