"""What is paused, by whom and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from callboard.control.context import Context
from callboard.storage.queries import Row
from callboard.storage.queries import pauses as queries

Scope = Literal["all", "queue", "job"]


@dataclass(frozen=True, slots=True)
class Pause:
    """One queue or job that is paused, or everything: then `name` is empty."""

    scope: Scope
    name: str
    reason: str
    paused_by: str
    paused_at: datetime

    def __str__(self) -> str:
        return "everything" if self.scope == "all" else f"the {self.scope} {self.name}"


def pauses(context: Context) -> tuple[Pause, ...]:
    """All pauses: everything first, then jobs and queues by name.

    Raises:
        Unavailable: PostgreSQL does not answer.
    """
    with context.read() as connection:
        return tuple(as_pause(row) for row in queries.pauses(connection))


def pause_of(found: Sequence[Pause], *, queue: str, job: str | None = None) -> Pause | None:
    """The pause that holds a queue, or a job of that queue: the widest of those that do."""
    for scope, name in (("all", ""), ("queue", queue), ("job", job)):
        for pause in found:
            if (pause.scope, pause.name) == (scope, name):
                return pause
    return None


def as_pause(row: Row) -> Pause:
    """A pause from its row."""
    return Pause(**{name: row[name] for name in Pause.__slots__})
