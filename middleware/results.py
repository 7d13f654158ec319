"""Where the results of actors lie that ask for it (`store_results=True`)."""

from typing import Any

from dramatiq import Message
from dramatiq.results import ResultMissing, ResultTimeout
from dramatiq.results.backend import DEFAULT_TIMEOUT
from dramatiq.results.backends import RedisBackend

from callboard.middleware.patience import spans


class ResultBackend(RedisBackend):  # type: ignore[misc]
    """Dramatiq's, on the broker's own connections, whose socket timeout limits no wait for a result."""

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
