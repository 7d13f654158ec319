"""Quarantines a run that kills its worker every time: after the third it goes to the dead letters.

The death of a worker takes with it whatever else it was working on. So the count is of the times that this
very run had begun: the first is taken for granted, the others are noted before the run begins again.
"""

from typing import Any

import redis
from dramatiq import MessageProxy
from dramatiq.middleware import Middleware

from callboard.core.logging import get_logger
from callboard.core.states import RunState
from callboard.middleware.delivery import Delivery
from callboard.middleware.scripts import load_script
from callboard.middleware.skips import put_back, skip

#: The most times that a run is begun whose worker dies each time.
MOST = 3


class Poison(Middleware):
    """The gate for runs whose worker has died with them."""

    def __init__(self) -> None:
        self._logger = get_logger(__name__)

    def before_worker_boot(self, broker: Any, worker: Any) -> None:
        self._begin = load_script(broker.client, "begin")

    def before_process_message(self, broker: Any, message: MessageProxy) -> None:
        if not isinstance(message, Delivery) or not message.rescued:
            return
        begun = message.begun_again + 1
        if begun >= MOST:
            message.fail()
            reason = f"poison: the worker died each of the {begun} times that it was begun"
            raise skip(message, reason, RunState.DEAD)
        try:
            self._begin(keys=[broker.namespace], args=[message.redis_id])
        except redis.RedisError as error:
            self._logger.warning("A rescued run cannot be begun for now: %s. It waits.", error)
            raise put_back(message, "Redis is away") from None
