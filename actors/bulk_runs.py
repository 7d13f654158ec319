"""The job `bulk-runs`."""

from functools import partial
from typing import Any
from uuid import UUID

import dramatiq

from callboard.actors.bulk import work_through
from callboard.core.keys import Keys
from callboard.middleware.waiting import hurry_all
from callboard.storage.run_bulk import work_off


@dramatiq.actor(
    actor_name="bulk-runs",
    description="Retry or cancel many runs, as an operator has asked",
    category="control",
    time_limit=3_600_000,
    max_retries=10,
    mutex=True,
    overlap="wait",
)
def bulk_runs(action_id: str, batch_size: int = 200) -> dict[str, Any]:
    """Work off an action batch by batch, until nothing is left or it is aborted.

    Broken off at any point and begun again, it goes on where it was. Batches are small: what is cancelled is
    counted, and the recorder waits for the counts of a batch.
    """
    broker: Any = dramatiq.get_broker()
    keys, wanted = Keys(broker.namespace), UUID(action_id)
    hurry = partial(hurry_all, broker.client, keys)
    return work_through(
        lambda connection: work_off(connection, broker.client, keys, wanted, batch_size, hurry=hurry),
        broker.client,
        keys,
        batch_size,
        "runs",
    )
