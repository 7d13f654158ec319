"""What holds messages back: the lots in Redis where they are parked, by the queues that they are of."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from redis import Redis

from callboard.core.health import Held
from callboard.core.holds import Cause
from callboard.core.keys import Keys

#: The most lots that are looked at, those looked at next first, and the most messages of each: the others of
#: a lot count as of the same queues.
MOST_LOTS = 1_000
MOST = 100
_CAUSES: dict[str, Cause] = {"pause": "pause", "mutex": "mutex", "limit": "limit", "breaker": "breaker"}


def list_held(client: Redis, keys: Keys) -> dict[str, list[Held]]:
    """By queue, what holds runs of it back now; of breakers only those that are open."""
    redis: Any = client
    lots = [name.decode() for name in redis.zrange(keys.lots, 0, MOST_LOTS - 1)]
    with redis.pipeline(transaction=False) as pipeline:
        for name in lots:
            kind, _, subject = name.partition("|")
            pipeline.llen(keys.lot(name))
            pipeline.lrange(keys.lot(name), 0, MOST - 1)
            if kind == "breaker":
                pipeline.hmget(keys.breaker(subject), "state", "opened_at")
            else:
                pipeline.hget(keys.control, f"paused:{subject}")
        answers = iter(pipeline.execute())
    found: dict[str, list[Held]] = defaultdict(list)
    for name in lots:
        size, first, about = (next(answers) for _ in range(3))
        kind, _, subject = name.partition("|")
        if kind not in _CAUSES or not first or (kind == "breaker" and about[0] != b"open"):
            continue
        since = _moment(about[1]) if kind == "breaker" else paused_at(about)
        queues = Counter(message.decode().rpartition(" ")[0] for message in first)
        for queue, times in queues.items():
            runs = max(times, round(size * times / len(first)))
            held = Held(_CAUSES[kind], subject.removeprefix("job:"), runs, since)
            found[queue].append(held)
    return found


def paused_at(said: bytes | None) -> datetime | None:
    """When a pause began, by its field of the control hash."""
    try:
        told: Mapping[str, Any] = orjson.loads(said or b"{}")
        return _moment(told.get("at"))
    except (ValueError, AttributeError):
        return None


def _moment(ms: bytes | int | None) -> datetime | None:
    try:
        return None if ms is None else datetime.fromtimestamp(float(ms) / 1000, UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        return None
