"""Why a run that is ready is held back on purpose, instead of waiting for a worker."""

from collections.abc import Mapping
from typing import Final, Literal

Cause = Literal["pause", "mutex", "limit", "breaker", "overlap"]
CAUSES: Final[tuple[Cause, ...]] = ("pause", "mutex", "limit", "breaker", "overlap")

#: What each cause is, in words that go after "by".
HELD_BY: Final[dict[Cause, str]] = {
    "pause": "a pause of the job, the queue or everything",
    "mutex": "a mutex that another run held",
    "limit": "a limit that was used up",
    "breaker": "an open circuit breaker",
    "overlap": "the overlap policy, which let one run wait for another",
}

#: A longer time (ms) than anything is held: what says more is no time.
MOST_MS: Final = 10 * 366 * 86_400_000


def held_of(found: object) -> dict[Cause, int]:
    """The ms by cause in what another process tells; what is none of ours is left out."""
    if not isinstance(found, Mapping):
        return {}
    return {cause: ms for cause in CAUSES if type(ms := found.get(cause)) is int and 0 < ms <= MOST_MS}
