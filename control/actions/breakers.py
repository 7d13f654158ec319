"""Close a circuit breaker by hand."""

from dataclasses import dataclass

from callboard.control.audit import audited
from callboard.control.context import Context, reaching_redis
from callboard.control.principal import Principal
from callboard.core.errors import NotFound
from callboard.core.limits import storable
from callboard.storage.breakers import close_breaker


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
            was = close_breaker(context.redis, context.keys, name, f"closed by {principal.name}")
        if was is None:
            raise NotFound(f"There is no breaker {name[:100]!r} that has ever counted a failure.")
        entry.before, entry.after = {"state": was}, {"state": "closed"}
    return Reset(name, was)
