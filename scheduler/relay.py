"""From the outbox to Redis.

Whoever commits a message to the outbox sends it at once: a scheduler the slots that it has claimed, an
action the run that it was asked for. What a crash or an outage in between leaves behind, any scheduler
sends within about a second. A message's id follows from what it stands for, and Redis remembers the ids
sent this way: sent twice, it arrives once.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from dramatiq import ConnectionClosed, Message
from redis.exceptions import RedisError
from sqlalchemy import Engine

from callboard.core.errors import Unavailable
from callboard.core.limits import MAX_ERROR, MAX_MESSAGE_BYTES, cut
from callboard.core.logging import get_logger
from callboard.middleware.broker import Broker, Packed
from callboard.middleware.events import MAX_ATTEMPTS, MAX_NUMBER
from callboard.storage.outbox import OutboxRow, mark_failed, mark_sent, refuse, take_unsent

log = get_logger(__name__)

#: Everything that says that Redis cannot be reached or does not take a message.
REDIS_ERRORS = (RedisError, ConnectionClosed, OSError)

#: The most messages sent in one transaction.
BATCH = 500

#: What a Dramatiq message is made of, besides its id.
_FIELDS = (
    ("queue_name", str),
    ("actor_name", str),
    ("args", list),
    ("kwargs", dict),
    ("options", dict),
    ("message_timestamp", int),
)

#: The largest values that the tables, and a timestamp in ms, can hold.
_MOST = {
    "message_timestamp": MAX_NUMBER,
    "due_at": MAX_NUMBER,
    "retries": MAX_ATTEMPTS - 2,
    "schedule_id": 2**63 - 1,
}

#: Options that only Dramatiq's Redis broker may set; a delay belongs into `not_before`.
_FOREIGN = frozenset({"eta", "redis_message_id"})


class RedisUnavailable(Unavailable):
    """Redis did not take the messages. They stay in the outbox."""


class Relay:
    """Sends what is in the outbox."""

    def __init__(self, engine: Engine, broker: Broker) -> None:
        self._engine = engine
        self._broker = broker

    def send(self, limit: int = BATCH, run_ids: Sequence[UUID] | None = None) -> int:
        """Send messages that are due, oldest first; with `run_ids`, only those.

        Slots claimed within the last second are left to the scheduler that claimed them, and rows that
        another relay is sending to that one.

        Returns:
            How many rows were dealt with. As many as `limit`: there may be more.

        Raises:
            RedisUnavailable: nothing was sent, and nothing is lost: call again later.
            sqlalchemy.exc.SQLAlchemyError: PostgreSQL does not answer; likewise.
        """
        failure: Exception | None = None
        with self._engine.begin() as connection:
            rows = take_unsent(connection, limit, run_ids)
            if not rows:
                return 0
            messages: dict[UUID, Message[Any]] = {}
            for row in rows:
                try:
                    messages[row.run_id] = read_message(row)
                except (TypeError, ValueError, KeyError) as error:
                    log.error("An outbox row holds no message.", action="outbox_refused", run=str(row.run_id),
                              error=str(error))  # fmt: skip
                    refuse(connection, row.run_id, f"its outbox row holds no message: {error}")
            try:
                self._broker.enqueue_many(messages.values(), once=True)
                mark_sent(connection, list(messages))
            except REDIS_ERRORS as error:
                failure = error
                mark_failed(connection, [row.id for row in rows], cut(str(error), MAX_ERROR))
        if failure is not None:
            raise RedisUnavailable(unavailable(failure)) from failure
        return len(rows)

    def pack(self, messages: Iterable[Message[Any]]) -> list[Packed]:
        """Make messages ready for `hand_over`, ahead of time."""
        return self._broker.pack_many(messages, once=True)

    def hand_over(self, packed: Sequence[Packed]) -> None:
        """Send messages whose rows this process has just committed, and mark them sent.

        Raises:
            RedisUnavailable: Redis did not take them; their rows stay.
            sqlalchemy.exc.SQLAlchemyError: Redis has them and their rows stay; to send those does nothing.
        """
        try:
            self._broker.put_packed(packed)
        except REDIS_ERRORS as error:
            raise RedisUnavailable(unavailable(error)) from error
        with self._engine.begin() as connection:
            mark_sent(connection, [UUID(one.message.message_id) for one in packed])


def read_message(row: OutboxRow) -> Message[Any]:
    """The message of an outbox row, under the id of its run.

    Raises:
        ValueError, TypeError, KeyError: it holds none.
    """
    fields = row.message
    for name, kind in _FIELDS:
        if not isinstance(fields[name], kind):
            raise TypeError(f"{name} is not a {kind.__name__}")
    numbers = {"message_timestamp": fields["message_timestamp"], **fields["options"]}
    for name, most in _MOST.items():
        number = numbers.get(name, 0)
        if type(number) is not int:
            raise TypeError(f"{name} is not an int")
        if not 0 <= number <= most:
            raise ValueError(f"{name} is out of range")
    message: Message[Any] = Message(
        queue_name=fields["queue_name"],
        actor_name=fields["actor_name"],
        args=tuple(fields["args"]),
        kwargs=fields["kwargs"],
        options={name: value for name, value in fields["options"].items() if name not in _FOREIGN},
        message_id=str(row.run_id),
        message_timestamp=fields["message_timestamp"],
    )
    if (size := len(message.encode())) > MAX_MESSAGE_BYTES:
        raise ValueError(f"it takes {size:,} bytes, and at most {MAX_MESSAGE_BYTES:,} are sent")
    return message


def unavailable(error: Exception) -> str:
    """One sentence that says that Redis is away, and what becomes of the messages."""
    return f"Redis does not take messages ({error}); they are kept in the outbox and sent when it does."
