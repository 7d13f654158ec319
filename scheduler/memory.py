"""Noticing that Redis has forgotten everything, and sending again what it held.

A Redis that restarts with nothing on disk, or is flushed, loses messages that the outbox has already given
up. So a token is kept in both servers. When Redis no longer has PostgreSQL's, everything that PostgreSQL
knows to be pending goes back into the outbox. What reached the new Redis before this was noticed is known
there by its mark, and is not sent twice.
"""

from typing import cast
from uuid import uuid4

from redis import Redis
from sqlalchemy import Engine

from callboard.core.keys import Keys
from callboard.core.logging import get_logger
from callboard.storage.outbox import replay_pending
from callboard.storage.positions import exchange_position, read_position

log = get_logger(__name__)


class Memory:
    """Whether Redis still holds what was sent to it."""

    def __init__(self, engine: Engine, client: Redis, keys: Keys) -> None:
        self._engine = engine
        self._client = client
        self._keys = keys
        self._token: str | None = None

    def check(self) -> int | None:
        """Compare the tokens; one round trip to Redis when all is well.

        Returns:
            None, or if Redis had forgotten everything, how many messages were put back into the outbox.

        Raises:
            redis.RedisError, sqlalchemy.exc.SQLAlchemyError: nothing was decided; call again later.
        """
        if self._token is not None and self._held() == self._token:
            return None
        with self._engine.begin() as connection:
            # Whoever holds the row first does it all; the others wait, and find the new token in both.
            known = read_position(connection, self._keys.memory, lock=True)
            if known is not None and known == self._held():
                self._token = known
                return None
            token = uuid4().hex
            if not exchange_position(connection, self._keys.memory, known, token):
                return None
            count = replay_pending(connection) if known is not None else 0
            self._client.set(self._keys.memory, token)
        self._token = token
        if known is None:
            return None
        log.warning(
            "Redis has lost what it held; what was pending is sent again.", action="redis_forgot", runs=count
        )
        return count

    def _held(self) -> str | None:
        answer = cast(bytes | None, self._client.get(self._keys.memory))
        return None if answer is None else answer.decode()
