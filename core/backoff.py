"""How long a failed run waits before its next attempt.

Retries are counted from 1: the first retry is the second attempt. Delays are in milliseconds. Jitter is the
share of a delay that chance may take off, so that jobs which failed together do not come back together.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from random import random as _random
from typing import Protocol, runtime_checkable

from callboard.core.errors import BadInput

#: Gives numbers in [0, 1).
Random = Callable[[], float]

#: Dramatiq delays no message for longer than seven days.
MAX_DELAY_MS = 604_800_000


@runtime_checkable
class Backoff(Protocol):
    """A policy: the delay before each retry."""

    def delay_ms(self, retry: int, random: Random = ...) -> int:
        """The delay before that retry, at most `MAX_DELAY_MS`.

        Raises:
            BadInput: `retry` is less than 1.
        """
        ...


@dataclass(frozen=True, slots=True)
class Linear:
    """Every delay longer than the one before by the same step: 5 s, 10 s, 15 s."""

    step_ms: int
    cap_ms: int
    jitter: float

    def __post_init__(self) -> None:
        _check_delay("step_ms", self.step_ms)
        _check_delay("cap_ms", self.cap_ms)
        _check_jitter(self.jitter)

    def delay_ms(self, retry: int, random: Random = _random) -> int:
        """The delay before that retry."""
        return _spread(self.step_ms * _counted(retry), self.cap_ms, self.jitter, random)

    def __str__(self) -> str:
        return f"linear: {_beginning(self)}"


@dataclass(frozen=True, slots=True)
class Exponential:
    """Every delay longer than the one before by the same factor: 15 s, 30 s, 60 s."""

    min_ms: int
    factor: float
    cap_ms: int
    jitter: float

    def __post_init__(self) -> None:
        _check_delay("min_ms", self.min_ms)
        _check_delay("cap_ms", self.cap_ms)
        _check_jitter(self.jitter)
        if not 1 <= self.factor < inf:
            raise BadInput(f"The factor of a backoff must be a number of at least 1, but is {self.factor}.")

    def delay_ms(self, retry: int, random: Random = _random) -> int:
        """The delay before that retry."""
        try:
            delay = self.min_ms * float(self.factor) ** (_counted(retry) - 1)
        except OverflowError:
            delay = self.cap_ms if self.min_ms else 0
        return _spread(delay, self.cap_ms, self.jitter, random)

    def __str__(self) -> str:
        return f"exponential: {_beginning(self)}"


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same delay before every retry."""

    each_ms: int
    jitter: float

    def __post_init__(self) -> None:
        _check_delay("delay_ms", self.each_ms)
        _check_jitter(self.jitter)

    def delay_ms(self, retry: int, random: Random = _random) -> int:
        """The delay before that retry."""
        _counted(retry)
        return _spread(self.each_ms, MAX_DELAY_MS, self.jitter, random)

    def __str__(self) -> str:
        return f"fixed: {_seconds(self.each_ms)}"


def linear(step_ms: int = 5_000, cap_ms: int = MAX_DELAY_MS, jitter: float = 0.0) -> Linear:
    """Delays of one, two, three steps and so on, up to the cap.

    Raises:
        BadInput: a delay is negative, or the jitter is outside 0 to 1.
    """
    return Linear(step_ms, cap_ms, jitter)


def exponential(
    min_ms: int = 15_000, factor: float = 2, cap_ms: int = MAX_DELAY_MS, jitter: float = 0.5
) -> Exponential:
    """Delays that grow by a factor, from `min_ms` up to the cap; by default as Dramatiq's own.

    Raises:
        BadInput: a delay is negative, the factor is under 1, or the jitter is outside 0 to 1.
    """
    return Exponential(min_ms, factor, cap_ms, jitter)


def fixed(delay_ms: int = 15_000, jitter: float = 0.0) -> Fixed:
    """The same delay every time.

    Raises:
        BadInput: the delay is negative, or the jitter is outside 0 to 1.
    """
    return Fixed(delay_ms, jitter)


def parse_backoff(value: Backoff | str) -> Backoff:
    """The policy itself, or that of the name `linear`, `exponential` or `fixed` with its defaults.

    Raises:
        BadInput: it is neither.
    """
    if isinstance(value, str) and value in _NAMED:
        return _NAMED[value]
    if isinstance(value, Backoff) and not isinstance(value, type):
        return value
    raise BadInput(
        f"There is no backoff {value!r:.80}; write linear, exponential or fixed, or make one with"
        " callboard.core.backoff."
    )


def _check_delay(name: str, delay_ms: int) -> None:
    if not delay_ms >= 0:
        raise BadInput(f"The {name} of a backoff must not be less than 0, but is {delay_ms}.")


def _check_jitter(jitter: float) -> None:
    if not 0 <= jitter <= 1:
        raise BadInput(f"The jitter of a backoff must lie between 0 and 1, but is {jitter}.")


def _counted(retry: int) -> int:
    if retry < 1:
        raise BadInput(f"Retries are counted from 1, so there is none with the number {retry}.")
    return retry


def _spread(delay_ms: float, cap_ms: int, jitter: float, random: Random) -> int:
    capped = int(min(delay_ms, cap_ms, MAX_DELAY_MS))
    return capped - int(capped * jitter * random()) if jitter else capped


def _beginning(policy: Backoff) -> str:
    return ", ".join(_seconds(policy.delay_ms(retry, lambda: 0.0)) for retry in (1, 2, 3)) + " and so on"


def _seconds(ms: int) -> str:
    return f"{ms / 1000:g} s"


_NAMED: dict[str, Backoff] = {"linear": linear(), "exponential": exponential(), "fixed": fixed()}
