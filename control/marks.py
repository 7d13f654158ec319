"""How a success rate reads at a glance."""

from typing import Literal

Mark = Literal["ok", "warning", "bad", "none"]

#: From this rate (per cent) on a job is well.
OK_FROM = 95.0
#: From this rate on it deserves a look; below, it is failing.
WARNING_FROM = 80.0


def success_rate(successes: int, failures: int) -> float | None:
    """Successes in per cent of all that ended, two decimals; None where nothing has ended."""
    total = successes + failures
    return round(100 * successes / total, 2) if total else None


def mark(rate: float | None) -> Mark:
    """The mark for a success rate in per cent: `none` where there is no data."""
    if rate is None:
        return "none"
    if rate >= OK_FROM:
        return "ok"
    return "warning" if rate >= WARNING_FROM else "bad"
