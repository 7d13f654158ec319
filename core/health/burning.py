"""How fast a job uses up the failures that its objective allows, over a long window and a short one.

A rate of 1 uses up exactly what is allowed. The long window says that it matters, the short one that it is
so still; the shorter the windows, the more it takes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

#: Runs that must have finished in the long window.
ENOUGH: Final = 10
MIN_5, MIN_30 = timedelta(minutes=5), timedelta(minutes=30)
HOUR, HOURS_6, DAYS_3 = timedelta(hours=1), timedelta(hours=6), timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of a job's runs in a window."""

    finished: int = 0
    failed: int = 0

    def burn(self, objective: float) -> float:
        """How many times the share of failures that an objective (0 to 1) allows."""
        if not self.finished:
            return 0.0
        # Rounded, since a rate that is met exactly must not come out a hair above.
        return round(self.failed / self.finished / (1 - objective), 9)


@dataclass(frozen=True, slots=True)
class Rule:
    """From which rate on, in both windows, it is worth an alert."""

    rate: float
    long: timedelta
    short: timedelta
    severity: Literal["warning", "critical"]


RULES: Final = (
    Rule(14.4, HOUR, MIN_5, "critical"),
    Rule(6.0, HOURS_6, MIN_30, "critical"),
    Rule(1.0, DAYS_3, HOURS_6, "warning"),
)


@dataclass(frozen=True, slots=True)
class Burning:
    """The rule that holds, and by how much in its long window."""

    rule: Rule
    rate: float


def burning(tallies: Mapping[timedelta, Tally], objective: float) -> Burning | None:
    """The strictest of the rules that a job breaks; None where it breaks none.

    A rate of exactly 1 keeps the objective.
    """
    for rule in RULES:
        long, short = tallies.get(rule.long, Tally()), tallies.get(rule.short, Tally())
        if long.finished < ENOUGH:
            continue
        rates = (long.burn(objective), short.burn(objective))
        if all(rate > rule.rate if rule.rate == 1.0 else rate >= rule.rate for rate in rates):
            return Burning(rule, rates[0])
    return None
