"""What goes out, counted; and when what has failed goes out again."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy.exc import InterfaceError, OperationalError

from callboard.actors.items import MostFailed
from callboard.actors.providers.errors import ServiceError
from callboard.core.backoff import exponential

#: Ids that a run's result lists of each kind: it is kept whole.
LISTED: Final = 1_000
#: A few wrong addresses alone, however quiet the hour, are no failure of the run.
FEW: Final = 10
#: Half a minute, one, two, four ..., an hour at most.
BACKOFF: Final = exponential(min_ms=30_000, factor=2, cap_ms=3_600_000, jitter=0.2)
#: Seconds after which PostgreSQL is asked again to mark what has gone out.
PAUSES_S: Final = (0.5, 1.0, 2.0, 4.0, 8.0)


def delay_s(attempts: int, error: Exception) -> float:
    """Seconds until the next attempt after so many; at least what the service asked for."""
    asked = (error.retry_after or 0.0) if isinstance(error, ServiceError) else 0.0
    return max(BACKOFF.delay_ms(max(attempts, 1)) / 1000, asked)


def patiently(mark: Callable[[], None]) -> None:
    """Mark what has gone out, and do so again while PostgreSQL is away: it restarts now and then."""
    for pause in PAUSES_S:
        try:
            return mark()
        except (OperationalError, InterfaceError):
            time.sleep(pause)
    return mark()


@dataclass(slots=True)
class Tally:
    """What a run has done so far."""

    processed: int = 0
    failed: int = 0
    requeued: int = 0
    #: May have gone out or not.
    uncertain: int = 0
    processed_ids: list[int] = field(default_factory=list)
    failed_ids: list[int] = field(default_factory=list)

    @property
    def tried(self) -> int:
        """How many there were."""
        return self.processed + self.failed + self.requeued + self.uncertain

    def add(self, processed: Sequence[int], failed: Sequence[int], requeued: int, uncertain: int = 0) -> None:
        """Count a batch, by the ids."""
        self.uncertain += uncertain
        self.processed += len(processed)
        self.failed += len(failed)
        self.requeued += requeued
        self.processed_ids += processed[: LISTED - len(self.processed_ids)]
        self.failed_ids += failed[: LISTED - len(self.failed_ids)]

    def result(self) -> dict[str, Any]:
        """The counts, and the ids of the first thousand of each; `uncertain` where there are any."""
        uncertain = {"uncertain": self.uncertain} if self.uncertain else {}
        return {
            "processed": self.processed,
            "failed": self.failed,
            "requeued": self.requeued,
            **uncertain,
            "ids": {"processed": self.processed_ids, "failed": self.failed_ids},
        }

    def outcome(self) -> dict[str, Any]:
        """The same, for a run that has ended.

        Raises:
            MostFailed: more failed for good than went out, and more than a few.
        """
        if self.failed > max(self.processed, FEW):
            raise MostFailed(
                f"Most failed for good: {self.failed} of {self.processed + self.failed}; the rows say why."
            )
        return self.result()
