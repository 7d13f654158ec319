"""Runs under way: does one take longer than nearly all did?"""

from callboard.core.anomalies.baseline import Usual

#: Runs below which percentiles say too little.
ENOUGH = 20


def longest_ms(usual: Usual | None) -> float | None:
    """How long (ms) a run may go on before it is worth a word; None where too little ran to tell."""
    if usual is None or usual.runs < ENOUGH:
        return None
    return max(usual.p99_ms, 2 * usual.p95_ms)


def running_long(elapsed_ms: float | None, usual: Usual | None) -> bool:
    """Whether a run has gone on for longer than that."""
    longest = longest_ms(usual)
    return elapsed_ms is not None and longest is not None and elapsed_ms > longest
