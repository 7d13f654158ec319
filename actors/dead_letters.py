"""The job `dead-letters`."""

from typing import Any
from uuid import UUID

import dramatiq

from callboard.actors.bulk import work_through
from callboard.core.keys import Keys
from callboard.storage.letters import work_off


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
    broker: Any = dramatiq.get_broker()
    keys, wanted = Keys(broker.namespace), UUID(action_id)
    return work_through(
        lambda connection: work_off(connection, broker.client, keys, wanted, batch_size),
        broker.client,
        keys,
        batch_size,
        "dead letters",
    )
