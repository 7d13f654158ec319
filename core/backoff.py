"""How long a failed run waits before its next attempt.

Retries are counted from 1: the first retry is the second attempt. Delays are in milliseconds.
"""

import random as _random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from callboard.core.errors import BadInput

Random = Callable[[], float]

#: Dramatiq refuses to delay a message for longer than this: seven days.
MAX_DELAY_MS = 604_800_000


@runtime_checkable
class Backoff(Protocol):
    """A policy: the delay before each retry."""

    def delay_ms(self, retry: int, random: Random = _random.random) -> int:
        """The delay before the `retry`-th retry; `random` gives numbers in [0, 1) for the jitter."""
        ...


@dataclass(frozen=True, slots=True)
class linear:  # noqa: N801 - it is used as a function: backoff=linear(step_ms=5000)
    """`step_ms` more before each retry: 5 s, 10 s, 15 s. Jitter takes off up to that share at random."""

    step_ms: int = 5_000
    cap_ms: int = MAX_DELAY_MS
    jitter: float = 0.0

    def __post_init__(self) -> None:
        _check(self.step_ms, self.cap_ms, self.jitter)

    def delay_ms(self, retry: int, random: Random = _random.random) -> int:
        return _jittered(min(self.step_ms * _counted(retry), self.cap_ms), self.jitter, random)

    def __str__(self) -> str:
        return f"linear, {_series(self)}"


@dataclass(frozen=True, slots=True)
class exponential:  # noqa: N801
    """`factor` times longer before each retry, from `min_ms`. Jitter takes off up to that share at random."""

    min_ms: int = 15_000
    factor: float = 2
    cap_ms: int = MAX_DELAY_MS
    jitter: float = 0.5

    def __post_init__(self) -> None:
        _check(self.min_ms, self.cap_ms, self.jitter)
        if not self.factor >= 1:
            raise BadInput(f"A backoff's factor must be at least 1, not {self.factor}.")

    def delay_ms(self, retry: int, random: Random = _random.random) -> int:
        try:
            delay = self.min_ms * float(self.factor) ** (_counted(retry) - 1)
        except OverflowError:
            delay = self.cap_ms
        return _jittered(int(min(delay, self.cap_ms)), self.jitter, random)

    def __str__(self) -> str:
        return f"exponential, {_series(self)}"


@dataclass(frozen=True, slots=True)
class fixed:  # noqa: N801
    """The same delay before each retry. Jitter takes off up to that share at random."""

    delay: int = 15_000
    jitter: float = 0.0

    def __post_init__(self) -> None:
        _check(self.delay, MAX_DELAY_MS, self.jitter)

    def delay_ms(self, retry: int, random: Random = _random.random) -> int:
        _counted(retry)
        return _jittered(min(self.delay, MAX_DELAY_MS), self.jitter, random)

    def __str__(self) -> str:
        return f"fixed, {_words(self.delay)}"


def _check(step_ms: int, cap_ms: int, jitter: float) -> None:
    if not 0 <= step_ms <= MAX_DELAY_MS or not 0 <= cap_ms <= MAX_DELAY_MS:
        raise BadInput(
            f"A backoff's delays must lie between 0 and {MAX_DELAY_MS} ms, not {step_ms} and {cap_ms}."
        )
    if not 0 <= jitter <= 1:
        raise BadInput(f"A backoff's jitter must lie between 0 and 1, not {jitter}.")


def _counted(retry: int) -> int:
    if retry < 1:
        raise BadInput(f"Retries are counted from 1, not {retry}.")
    return retry


def _jittered(delay_ms: int, jitter: float, random: Random) -> int:
    return delay_ms - int(delay_ms * jitter * random()) if jitter else delay_ms


def _series(policy: Backoff) -> str:
    return ", ".join(_words(policy.delay_ms(retry, lambda: 0.0)) for retry in (1, 2, 3)) + " ..."


def _words(ms: int) -> str:
    return f"{ms / 1000:g} s"


_NAMED: dict[str, Backoff] = {"linear": linear(), "exponential": exponential(), "fixed": fixed()}


def parse_backoff(value: "Backoff | str") -> Backoff:
    """The policy of that name with its defaults, or the policy itself.

    Raises:
        BadInput: neither a policy nor one of "linear", "exponential", "fixed".
    """
    if isinstance(value, str) and value in _NAMED:
        return _NAMED[value]
    if not isinstance(value, (str, type)) and isinstance(value, Backoff):
        return value
    raise BadInput(
        f"There is no backoff {value!r:.80}; name linear, exponential or fixed, or give one made by"
        " callboard.core.backoff."
    )
