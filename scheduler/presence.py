"""Which schedulers give signs of life."""

from typing import Any

from redis import Redis

from callboard.core.keys import Keys
from callboard.storage.presence import list_present

#: Seconds between two signs of life of a scheduler.
EVERY = 2.0


def list_schedulers(client: Redis, keys: Keys) -> list[dict[str, Any]]:
    """All schedulers not yet forgotten: `id`, `at` (ms), `alive`, `pid`, `host` and what else each says."""
    return list_present(client, keys.schedulers)
