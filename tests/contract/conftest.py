"""What Dramatiq documents, tried on Dramatiq's own Redis broker and on ours.

The first says that a behaviour is really there, the second that an application which changes over keeps it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dramatiq.broker
import pytest
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AsyncIO
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

from callboard.middleware.broker import Broker


@contextmanager
def _by_default(made: Any) -> Iterator[Any]:
    """Make a broker Dramatiq's global one, and close it in the end."""
    before = dramatiq.broker.global_broker
    dramatiq.set_broker(made)
    try:
        yield made
    finally:
        made.close()
        dramatiq.broker.global_broker = before


@pytest.fixture(params=["dramatiq", "callboard"])
def broker(request: pytest.FixtureRequest, redis_url: str, namespace: str) -> Iterator[Any]:
    """Dramatiq's broker, with the optional middleware that ours brings along, and then ours."""
    made: Any = Broker(url=redis_url, namespace=namespace)
    if request.param == "dramatiq":
        made = RedisBroker(url=redis_url, namespace=namespace)
        made.add_middleware(AsyncIO())
        made.add_middleware(Results(backend=RedisBackend(url=redis_url, namespace=f"{namespace}-results")))
    with _by_default(made):
        yield made


@pytest.fixture
def ours(redis_url: str, namespace: str) -> Iterator[Broker]:
    """Our broker alone, where it keeps a promise that Dramatiq's does not."""
    with _by_default(Broker(url=redis_url, namespace=namespace)) as made:
        yield made
