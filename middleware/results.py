"""Where the results of actors lie that ask for it (`store_results=True`); stale executions have no say in it.

The keys are Dramatiq's own, so that any `RedisBackend` of the same namespace reads them.
"""

from collections.abc import Callable
from typing import Any

import redis
from dramatiq import Message
from dramatiq.results import ResultMissing, ResultTimeout
from dramatiq.results.backend import DEFAULT_TIMEOUT
from dramatiq.results.backends import RedisBackend
from dramatiq.results.result import wrap_exception, wrap_result

from callboard.middleware.delivery import Delivery
from callboard.middleware.patience import spans
from callboard.middleware.scripts import load_script


class ResultBackend(RedisBackend):  # type: ignore[misc]
    """Dramatiq's, on the broker's own connections, whose socket timeout limits no wait for a result.

    Parameters:
        client: the broker's client.
        namespace: the prefix of the keys.
        acks: the key of the messages of a queue that the broker has fetched and not acknowledged.
    """

    def __init__(self, client: redis.Redis, namespace: str, acks: Callable[[str], str]) -> None:
        super().__init__(client=client, namespace=namespace)
        self._acks = acks
        self._keep = load_script(client, "result")

    def get_result(self, message: Message[Any], *, block: bool = False, timeout: int | None = None) -> Any:
        """Get a result; see Dramatiq's documentation. Timeouts (ms) of less than a second count as well.

        Raises:
            ResultMissing: there is none, and `block` is false.
            ResultTimeout: there was none in time.
            ResultFailure: the actor failed.
        """
        if block:
            key = self.build_message_key(message)
            for span in spans(self.client, (DEFAULT_TIMEOUT if timeout is None else timeout) / 1000):
                if self.client.blmove(key, key, span) is not None:
                    break
        try:
            return super().get_result(message)
        except ResultMissing:
            if block:
                raise ResultTimeout(message) from None
            raise

    def store_result(self, message: Any, result: Any, ttl: int) -> None:
        """Keep a result for `ttl` ms."""
        self._store_of(message, wrap_result(result), ttl)

    def store_exception(self, message: Any, exception: Exception, ttl: int) -> None:
        """Keep the exception with which a run has ended for `ttl` ms."""
        self._store_of(message, wrap_exception(exception), ttl)

    def _store_of(self, message: Any, result: Any, ttl: int) -> None:
        key = self.build_message_key(message)
        if not isinstance(message, Delivery):
            self._store(key, result, ttl)
            return
        encoded = self.encoder.encode(result)
        self._keep(keys=[key, self._acks(message.queue_name)], args=[message.redis_id, encoded, ttl])
