"""The job `dead-letters`."""

from typing import Any
from uuid import UUID

import dramatiq

from callboard import progress
from callboard.actors.database import engine
from callboard.core.keys import Keys
from callboard.storage.letters import remove, work_off


@dramatiq.actor(
    actor_name="dead-letters",
    description="Requeue or drop many dead letters, as an operator has asked",
    category="control",
    time_limit=3_600_000,
    max_retries=10,
    mutex=True,
    overlap="wait",
)
def dead_letters(action_id: str, batch_size: int = 500) -> dict[str, Any]:
    """Work off an action batch by batch, until nothing is left or it is aborted.

    Broken off at any point and begun again, it goes on where it was.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it must be at least 1.")
    broker: Any = dramatiq.get_broker()
    keys = Keys(broker.namespace)
    while True:
        with engine().begin() as connection:
            step = work_off(connection, broker.client, keys, UUID(action_id), batch_size)
        if step.removing:
            remove(broker.client, keys, step.removing)
        progress(step.done + step.failed, max(step.total, step.done + step.failed), "dead letters")
        if step.ended:
            return {"processed": step.done, "failed": step.failed}
