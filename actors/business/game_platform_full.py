"""The game platform's coordinated full sync: what is new first, then the totals."""

from typing import Any
from uuid import NAMESPACE_OID, uuid4, uuid5

import dramatiq
from dramatiq import pipeline

from callboard.actors.business.game_platform import game_platform_sync, game_platform_totals_sweep
from callboard.actors.items import run_id


@dramatiq.actor(
    actor_name="game_platform_full_sync",
    description="Fetch new solves, wait 30 seconds, then refresh the totals",
    category="sync",
    quick_action="Full sync",
    time_limit=60_000,
    max_retries=2,
    backoff="linear",
    mutex=True,
)
def game_platform_full_sync(
    coach_id: str | None = None, dry_run: bool = False, batch_size: int = 100, wait_s: int = 30
) -> dict[str, Any]:
    """Send the sync, and have the totals sweep follow `wait_s` seconds after it has succeeded.

    The two are a chain of runs of their own: the sweep goes out in the step that commits the sync, and not at
    all where the sync fails. Their ids follow from this run's, so that it may run twice and send them once.
    """
    if wait_s < 0:
        raise ValueError(f"wait_s is {wait_s}; it must be at least 0.")
    own = run_id() or uuid4()
    scope = {"coach_id": coach_id, "dry_run": dry_run}
    sync = game_platform_sync.message_with_options(kwargs=scope)
    totals = game_platform_totals_sweep.message_with_options(
        kwargs={**scope, "batch_size": batch_size}, pipe_ignore=True, delay=wait_s * 1000
    )
    sync, totals = (
        message.copy(message_id=str(uuid5(NAMESPACE_OID, f"{own} {message.actor_name}")))
        for message in (sync, totals)
    )
    first = pipeline([sync, totals]).messages[0]
    game_platform_sync.broker.enqueue_many([first], once=True)  # type: ignore[attr-defined]
    return {
        "processed": 2,
        "failed": 0,
        "sync_run": sync.message_id,
        "totals_run": totals.message_id,
        "wait_s": wait_s,
    }
