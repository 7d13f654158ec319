"""Jobs that SQL enqueues, and the one that runs SQL, for a worker in a process of its own."""

import dramatiq

import callboard.actors.run_sql  # noqa: F401


@dramatiq.actor(actor_name="game-platform-sync")
def game_platform_sync(dry_run: bool = False, coach_id: str | None = None) -> dict[str, object]:
    """Say what it was asked for."""
    return {"dry_run": dry_run, "coach_id": coach_id}


@dramatiq.actor(actor_name="game-platform-totals-sweep", min_backoff=10, max_backoff=10)
def game_platform_totals_sweep(batch_size: int = 100) -> None:
    """Fail, to see how often it is tried."""
    raise ValueError(f"No totals for {batch_size}")
