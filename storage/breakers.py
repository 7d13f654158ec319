"""How circuit breakers stand in Redis, and closing one."""

from dataclasses import dataclass
from typing import Any

import orjson
from redis import Redis

from callboard.core.keys import Keys

#: The kind of alert that stands for an open breaker.
KIND = "breaker_open"


@dataclass(frozen=True, slots=True)
class Standing:
    """A breaker that is not closed; `open_s` is for how long it has not been."""

    name: str
    state: str
    cause: str
    open_s: float

    @property
    def sentence(self) -> str:
        """What is told of it."""
        return open_sentence(self.name, self.cause)


def open_sentence(name: str, cause: str | None) -> str:
    """What is told of an open breaker."""
    return f"The breaker {name} is open: {(cause or 'no cause is known').rstrip('.')}."


def not_closed(client: Redis, keys: Keys) -> list[Standing]:
    """The breakers that are open or half open, by name."""
    redis: Any = client
    names = sorted(name.decode() for name in redis.smembers(keys.breakers))
    seconds, microseconds = redis.time()
    with redis.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.hmget(keys.breaker(name), "state", "cause", "opened_at")
        answers = pipeline.execute()
    found = []
    for name, (state, cause, opened_at) in zip(names, answers, strict=True):
        if state in (b"open", b"half_open"):
            since = seconds + microseconds / 1e6 - float(opened_at or 0) / 1000
            found.append(Standing(name, state.decode(), (cause or b"").decode("utf-8", "replace"), since))
    return found


def close_breaker(client: Redis, keys: Keys, name: str, cause: str) -> str | None:
    """Close a breaker; the runs that wait for it go on, and it forgets what it counted.

    Returns the state that it was in; None where no breaker of that name has ever counted a failure.
    """
    redis: Any = client
    if not redis.sismember(keys.breakers, name):
        return None
    state = redis.hget(keys.breaker(name), "state")
    was = "closed" if state is None else str(state.decode())
    seconds, microseconds = redis.time()
    at = seconds * 1000 + microseconds // 1000
    change = {"k": "breaker", "name": name, "from": was, "to": "closed", "at": at, "cause": cause}
    with redis.pipeline(transaction=True) as pipeline:
        pipeline.delete(keys.breaker(name))
        pipeline.zadd(keys.lots, {f"breaker|{name}": 0}, xx=True)
        if was != "closed":
            pipeline.xadd(keys.events, {"e": orjson.dumps([change])})
        pipeline.publish(keys.signals, "look")
        pipeline.execute()
    return was
