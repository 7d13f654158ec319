"""The job `heartbeat`."""

import time
from typing import Any

import dramatiq

from callboard import cron, current_run


@dramatiq.actor(
    actor_name="heartbeat",
    description="Show that schedules are kept: one run every 30 seconds",
    category="monitoring",
    periodic=cron("*/30 * * * * *"),
    misfire="skip",
    time_limit=10_000,
    max_retries=0,
)
def heartbeat() -> dict[str, Any]:
    """Tell how long after its slot this run has begun."""
    run = current_run()
    due_at_ms = run.due_at_ms if run is not None else None
    result = {"processed": 1, "failed": 0}
    if due_at_ms is not None:
        result["late_ms"] = time.time_ns() // 1_000_000 - due_at_ms
    return result
