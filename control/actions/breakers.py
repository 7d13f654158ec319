"""Close a circuit breaker by hand."""

from dataclasses import dataclass
from typing import Any

import orjson

from callboard.control.audit import audited
from callboard.control.context import Context, reaching_redis
from callboard.control.principal import Principal
from callboard.core.errors import NotFound
from callboard.core.limits import storable


@dataclass(frozen=True, slots=True)
class Reset:
    """A breaker that is closed now, and the state that it was in."""

    name: str
    was: str


def reset(context: Context, principal: Principal, name: str) -> Reset:
    """Close a breaker at once; the runs that wait for it go on. A closed one forgets what it counted.

    Raises:
        NotAllowed: the role does not include `breakers:reset`.
        NotFound: no breaker of that name has ever counted a failure.
        Unavailable: Redis does not answer.
    """
    name = storable(name)
    with audited(
        context, principal, permission="breakers:reset", action="reset_breaker", target=name
    ) as entry:
        with reaching_redis():
            was = _close(context, principal, name)
        entry.before, entry.after = {"state": was}, {"state": "closed"}
    return Reset(name, was)


def _close(context: Context, principal: Principal, name: str) -> str:
    keys, client = context.keys, context.redis
    if not client.sismember(keys.breakers, name):
        raise NotFound(f"There is no breaker {name[:100]!r} that has ever counted a failure.")
    state: Any = client.hget(keys.breaker(name), "state")
    was = "closed" if state is None else str(state.decode())
    time: Any = client.time()
    change = {
        "k": "breaker",
        "name": name,
        "from": was,
        "to": "closed",
        "at": time[0] * 1000 + time[1] // 1000,
        "cause": f"closed by {principal.name}",
    }
    with client.pipeline(transaction=True) as pipeline:
        pipeline.delete(keys.breaker(name))
        pipeline.zadd(keys.lots, {f"breaker|{name}": 0}, xx=True)
        if was != "closed":
            pipeline.xadd(keys.events, {"e": orjson.dumps([change])})
        pipeline.publish(keys.signals, "look")
        pipeline.execute()
    return was
