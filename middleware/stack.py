"""The order of the hooks.

Before-hooks run from first to last, after-hooks from last to first. Recording comes first: it sees a message
before anything may refuse it, and after everything is decided. The gates follow, then whatever the
application brings, then the hooks that judge an outcome; Sentry stands before Retries so that it knows
whether a failure was the final one.
"""

from collections.abc import Iterable

import redis
from dramatiq import middleware as stock
from dramatiq.middleware import Middleware
from dramatiq.results import Results

from callboard.core.keys import Keys
from callboard.middleware.breaker import Breaker, BreakerSettings
from callboard.middleware.chains import Chains, Groups
from callboard.middleware.disabled import Disabled
from callboard.middleware.ended import Ended
from callboard.middleware.idempotency import Idempotency
from callboard.middleware.isolation import Isolation
from callboard.middleware.lifecycle import Lifecycle
from callboard.middleware.limits import Limits
from callboard.middleware.mutex import Mutex
from callboard.middleware.paused import Paused
from callboard.middleware.poison import Poison
from callboard.middleware.recording import Recording
from callboard.middleware.results import ResultBackend
from callboard.middleware.retries import Retries
from callboard.middleware.sentry import Sentry
from callboard.middleware.stale import Stale
from callboard.middleware.stuck import Stuck
from callboard.middleware.time_limit import TimeLimit


def complete(
    own: Iterable[Middleware],
    client: redis.Redis,
    namespace: str,
    breaker: BreakerSettings | None = None,
) -> list[Middleware]:
    """Callboard's middleware with an application's own in its place; see `adapted`."""
    retries, time_limit, chains = Retries(), TimeLimit(), Chains()
    # An application's own shares its groups with stock workers, and so stays what it is.
    groups: list[Middleware] = [Groups(client, Keys(namespace))]
    others: list[Middleware] = []
    for brought in own:
        middleware = adapted(brought)
        if isinstance(middleware, Retries):
            retries = middleware
        elif isinstance(middleware, TimeLimit):
            time_limit = middleware
        elif isinstance(middleware, Chains):
            chains = middleware
        elif isinstance(middleware, stock.GroupCallbacks):
            groups = [middleware]
        elif middleware is not None:
            others.append(middleware)
    present = {type(middleware) for middleware in others}
    defaults = [
        kind()
        for kind in (stock.AgeLimit, stock.ShutdownNotifications, stock.Callbacks)
        if kind not in present
    ]
    asyncio = [] if stock.AsyncIO in present else [stock.AsyncIO()]
    # Results of runs are recorded; this one serves `store_results=True` and `message.get_result()`.
    results: list[Middleware] = []
    if Results not in present:
        results = [Results(backend=ResultBackend(client=client, namespace=f"{namespace}-results"))]
    return [
        Lifecycle(), Recording(), Isolation(), Stuck(), Ended(), Paused(), Disabled(), Stale(),
        Breaker(breaker), Limits(), Mutex(), Poison(), Idempotency(), *asyncio, *defaults[:1], time_limit,
        *defaults[1:], chains, *groups, *others, *results, Sentry(), retries,
    ]  # fmt: skip


def adapted(middleware: Middleware) -> Middleware | None:
    """What stands for a middleware that an application brings.

    A stock one that we have our own of is replaced by ours with the same settings; Periodiq's is dropped,
    since it would throw away what is late.
    """
    # By name: whoever uses it has imported it, and nobody else should pay for that.
    if type(middleware).__module__.partition(".")[0] == "periodiq":
        return None
    if isinstance(middleware, stock.Retries) and not isinstance(middleware, Retries):
        return Retries.like(middleware)
    if isinstance(middleware, stock.TimeLimit) and not isinstance(middleware, TimeLimit):
        return TimeLimit.like(middleware)
    if type(middleware) is stock.Pipelines:
        return Chains()
    return middleware


def stock_kind(middleware: Middleware) -> type | None:
    """Which of Dramatiq's middleware it is, or is made from."""
    return next(
        (
            kind
            for kind in type(middleware).__mro__
            if kind is not Middleware and kind.__module__.startswith("dramatiq.")
        ),
        None,
    )
