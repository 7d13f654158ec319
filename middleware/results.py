"""Keeps what `message.get_result()` answers, and refuses what a stale execution has to say.

The keys are Dramatiq's own, so that any `RedisBackend` of the same namespace reads them.
"""

from collections.abc import Callable
from typing import Any

import redis
from dramatiq.results.backends.redis import RedisBackend
from dramatiq.results.result import wrap_exception, wrap_result

from callboard.middleware.delivery import Delivery
from callboard.middleware.scripts import load_script


class FencedResults(RedisBackend):
    """Dramatiq's backend, fenced by the acknowledgements of one broker.

    Parameters:
        client: the broker's client.
        namespace: the prefix of the keys.
        acks: the key of the messages of a queue that the broker has fetched and not acknowledged.
    """

    def __init__(self, client: redis.Redis, namespace: str, acks: Callable[[str], str]) -> None:
        super().__init__(client=client, namespace=namespace)  # type: ignore[no-untyped-call]
        self._acks = acks
        self._keep = load_script(client, "result")

    def store_result(self, message: Any, result: Any, ttl: int) -> None:
        """Keep a result for `ttl` ms."""
        self._store_of(message, wrap_result(result), ttl)

    def store_exception(self, message: Any, exception: Exception, ttl: int) -> None:
        """Keep the exception with which a run has ended for `ttl` ms."""
        self._store_of(message, wrap_exception(exception), ttl)

    def _store_of(self, message: Any, result: Any, ttl: int) -> None:
        key = self.build_message_key(message)
        if not isinstance(message, Delivery):
            self._store(key, result, ttl)  # type: ignore[no-untyped-call]
            return
        encoded = self.encoder.encode(result)
        self._keep(keys=[key, self._acks(message.queue_name)], args=[message.redis_id, encoded, ttl])
