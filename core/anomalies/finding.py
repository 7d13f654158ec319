"""One thing that is out of the ordinary."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

Kind = Literal["missed", "running_long", "duration", "suspicious_success", "too_often"]
KINDS: Final[tuple[Kind, ...]] = ("missed", "running_long", "duration", "suspicious_success", "too_often")


@dataclass(frozen=True, slots=True)
class Finding:
    """What is out of the ordinary about a job: of its run, or of a slot of its schedule, where it is one.

    `evidence` is a sentence with the figures that it rests on, `since` when it came about. `ratio` is what
    was found to what is usual, where both are amounts.
    """

    kind: Kind
    job: str
    evidence: str
    since: datetime
    severity: Literal["warning", "critical"] = "warning"
    run_id: UUID | None = None
    slot: datetime | None = None
    schedule_id: int | None = None
    ratio: float | None = None


def in_order(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """The critical ones first, then the latest first."""
    latest = sorted(found, key=lambda each: (each.since, each.job), reverse=True)
    return tuple(sorted(latest, key=lambda each: each.severity != "critical"))
