"""What a run can be, and what can become of a slot.

    pending ──> processing ──> succeeded | failed | cancelled | dead
       │  ^──────────┘ (a retry: the same run, its attempt one higher)
       └──> skipped | cancelled | failed | dead

`failed`: the job's own code failed in its last attempt. `dead`: the message could not be executed safely at
all (undecodable, unknown job, poison). `skipped`: a gate turned it away before it began. Reports of one run
arrive from several processes in any order; `rank` orders them, and only a higher rank replaces a state.
"""

from enum import StrEnum


class RunState(StrEnum):
    """The state of one run, that is of one message's life."""

    PENDING = "pending"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    DEAD = "dead"


class Disposition(StrEnum):
    """What became of a slot: each has exactly one."""

    FIRED = "fired"
    LATE = "late"
    SKIPPED_OVERLAP = "skipped_overlap"
    SKIPPED_PAUSED = "skipped_paused"
    SKIPPED_DISABLED = "skipped_disabled"
    SKIPPED_BREAKER = "skipped_breaker"
    SKIPPED_STALE = "skipped_stale"
    MISSED = "missed"
    COALESCED = "coalesced"
    CANCELLED = "cancelled"


#: States that a run never leaves.
FINAL = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED, RunState.SKIPPED, RunState.DEAD})

_NEXT: dict[RunState, frozenset[RunState]] = {
    RunState.PENDING: frozenset(
        {RunState.PROCESSING, RunState.SKIPPED, RunState.CANCELLED, RunState.FAILED, RunState.DEAD}
    ),
    RunState.PROCESSING: frozenset(
        {RunState.PENDING, RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED, RunState.DEAD}
    ),
} | dict.fromkeys(FINAL, frozenset())

_PHASE = {RunState.PENDING: 0, RunState.PROCESSING: 5} | dict.fromkeys(FINAL, 9)


def can_go(before: RunState | str, after: RunState | str) -> bool:
    """Whether a run may go from one state straight to the other. To stay is not to go."""
    return RunState(after) in _NEXT[RunState(before)]


def rank(state: RunState | str, attempt: int) -> int:
    """How far a run in that state of that attempt (counted from 1) has come; it only ever grows."""
    return attempt * 10 + _PHASE[RunState(state)]
