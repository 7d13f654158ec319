"""Forget what a limit has counted."""

from dataclasses import dataclass

from callboard.control.audit import audited
from callboard.control.context import Context, reaching_redis
from callboard.control.principal import Principal
from callboard.control.reads.limits import limit
from callboard.core.limits import storable


@dataclass(frozen=True, slots=True)
class LimitReset:
    """A limit whose minute begins anew, and how many runs it had counted."""

    key: str
    begun: int


def reset(context: Context, principal: Principal, key: str) -> LimitReset:
    """Have a limit forget how many runs have begun within the last minute; those that wait for it may go on.

    The slots of runs that go on are theirs until they end; those of a worker that died are free within
    seconds. The bounds are the code's.

    Raises:
        NotAllowed: the role does not include `limits:reset`.
        NotFound: there is no such limit.
        Unavailable: Redis or PostgreSQL does not answer.
    """
    key = storable(key)
    with audited(context, principal, permission="limits:reset", action="reset_limit", target=key) as entry:
        before = limit(context, key)
        keys = context.keys
        with reaching_redis(), context.redis.pipeline(transaction=True) as pipeline:
            pipeline.delete(keys.rate(key))
            pipeline.zadd(keys.lots, {f"limit|{key}": 0}, xx=True)
            pipeline.publish(keys.signals, "look")
            pipeline.execute()
        entry.before, entry.after = {"begun": before.begun}, {"begun": 0}
    return LimitReset(key, before.begun)
