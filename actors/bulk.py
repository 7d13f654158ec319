"""How the jobs that deal with many runs go about it."""

from collections.abc import Callable
from typing import Any

from psycopg.errors import DeadlockDetected, SerializationFailure
from redis import Redis
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from callboard import progress
from callboard.actors.database import engine
from callboard.core.keys import Keys
from callboard.storage.bulk import Step
from callboard.storage.letters import remove

#: How often a step is taken at most.
ATTEMPTS = 5


def work_through(
    step: Callable[[Connection], Step], client: Redis, keys: Keys, batch_size: int, noun: str
) -> dict[str, Any]:
    """Take one step after another, each in a transaction of its own, until the action has ended.

    Raises:
        ValueError: the size of a batch is less than 1.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it must be at least 1.")
    while True:
        done = _take(step)
        if done.removing:
            remove(client, keys, done.removing)
        dealt = done.done + done.failed
        progress(dealt, max(done.total, dealt), noun)
        if done.ended:
            return {"processed": done.done, "failed": done.failed}


def _take(step: Callable[[Connection], Step]) -> Step:
    """Take a step; anew where PostgreSQL broke it off because it and another waited for each other."""
    for _ in range(ATTEMPTS - 1):
        try:
            with engine().begin() as connection:
                return step(connection)
        except OperationalError as error:
            if not isinstance(error.orig, DeadlockDetected | SerializationFailure):
                raise
    with engine().begin() as connection:
        return step(connection)
