"""What a check of the installation finds."""

from dataclasses import dataclass
from typing import Literal

#: `unknown`: it could not be checked, for want of what only the caller can give.
Status = Literal["ok", "warn", "fail", "unknown"]

#: Seconds by which a part may be behind before it is worth a word, and before something is wrong.
LATE_S, STUCK_S = 10.0, 60.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; `advice` is what to do, where something is to be done."""

    name: str
    status: Status
    detail: str
    advice: str | None = None


def lateness(seconds: float) -> Status:
    """How bad it is to be behind by that much."""
    if seconds > STUCK_S:
        return "fail"
    return "warn" if seconds > LATE_S else "ok"
