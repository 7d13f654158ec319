"""How long a run may take at most: what a caller that waits for it has to be prepared for."""

from collections.abc import Mapping
from typing import Any, Final

from callboard.control.context import Context
from callboard.control.reads.jobs import job
from callboard.core.backoff import Backoff, exponential, parse_backoff
from callboard.core.errors import BadInput

#: Waiting for a free worker, and for what has ended to become visible.
SLACK_S: Final = 30.0
#: Taken where a job has no time limit.
NO_LIMIT_S: Final = 600.0


def patience_s(context: Context, name: str, *, most_s: float) -> float:
    """Seconds that all attempts of a run and the waits between them may take, at most `most_s`.

    Raises:
        NotFound: no job has that name.
    """
    found = job(context, name)
    limit_s = NO_LIMIT_S if found.time_limit_ms is None else found.time_limit_ms / 1000
    if found.max_attempts is None or found.max_attempts * limit_s >= most_s:
        return most_s
    backoff = _backoff(found.options)
    if backoff is None:
        return most_s if found.max_attempts > 1 else limit_s + SLACK_S
    between_ms = sum(backoff.delay_ms(retry) for retry in range(1, found.max_attempts))
    return min(most_s, limit_s * found.max_attempts + between_ms / 1000 + SLACK_S)


def _backoff(options: Mapping[str, Any]) -> Backoff | None:
    """The policy that a job's options name; None where it is one of the code's own, which has no name."""
    try:
        return parse_backoff(options["backoff"]) if options.get("backoff") else exponential()
    except BadInput:
        return None
