"""The job `cleanup-old-dead-letters`."""

from typing import Any

import dramatiq

from callboard import cron, progress
from callboard.actors.database import engine
from callboard.core.keys import Keys
from callboard.core.settings import load_settings
from callboard.storage import letters


@dramatiq.actor(
    actor_name="cleanup-old-dead-letters",
    description="Remove dead letters older than 30 days",
    category="cleanup",
    periodic=cron("0 3 * * *"),
    time_limit=600_000,
    max_retries=0,
    mutex=True,
)
def cleanup_old_dead_letters(days: int | None = None, batch_size: int = 1000) -> dict[str, Any]:
    """Remove the dead letters older than `days` (the setting CALLBOARD_DEAD_LETTER_DAYS).

    Their runs stay in the history; they can no longer be requeued.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it must be at least 1.")
    kept = load_settings().callboard_dead_letter_days if days is None else days
    broker: Any = dramatiq.get_broker()
    keys = Keys(broker.namespace)
    done = 0
    gone = batch_size
    while gone == batch_size:
        with engine().begin() as connection:
            gone = letters.expire(connection, kept, batch_size)
        done += gone
        progress(done, None, "dead letters removed")
    with engine().begin() as connection:
        queues = letters.queues(connection)
    # These include what no history tells of any more.
    for queue in queues:
        while letters.prune(broker.client, keys, queue, kept, batch_size) == batch_size:
            pass
    return {"processed": done, "failed": 0}
