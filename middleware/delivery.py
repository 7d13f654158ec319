"""One delivery of a message to this process, and what is to become of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from dramatiq import Message, MessageProxy

from callboard.core.holds import Cause

if TYPE_CHECKING:
    from callboard.middleware.execution import Execution


def is_text(value: object) -> bool:
    """Whether it is a text that can go to Redis: JSON lets halves of characters through."""
    if not isinstance(value, str):
        return False
    try:
        return value.isascii() or bool(value.encode())
    except UnicodeEncodeError:
        return False


@dataclass(frozen=True, slots=True)
class Hold:
    """Something of the fleet's that an execution holds; its last word on it goes into the commit.

    `kind` is `mutex`, `limit` or `breaker`; what is `leased` must be renewed. `counted` is the second
    (since the epoch) in which a limit has counted the run towards its minute, or 0.
    """

    kind: str
    name: str
    token: str
    leased: bool = True
    counted: int = 0


@dataclass(frozen=True, slots=True)
class Packet:
    """An encoded message on its way into a queue."""

    queue: str
    redis_id: str
    payload: bytes

    def __post_init__(self) -> None:
        if not is_text(self.queue):
            raise ValueError(f"A message cannot go to a queue of the name {self.queue!r}.")

    @classmethod
    def of(cls, message: Message[Any]) -> "Packet":
        """A message that has its queue and its id in Redis, encoded."""
        return cls(message.queue_name, message.options["redis_message_id"], message.encode())


@dataclass(frozen=True, slots=True)
class Join:
    """A part of a group that has succeeded, and what follows once all of them have."""

    group: str
    member: str
    packets: tuple[Packet, ...]


class Delivery(MessageProxy):
    """A message as Dramatiq's worker handles it, with what Callboard's hooks have to say to its consumer."""

    def __init__(
        self,
        message: Message[Any],
        redis_id: str,
        size: int,
        fetched: int,
        rescued: int = 0,
        begun_again: int = 0,
        held: dict[Cause, int] | None = None,
    ) -> None:
        super().__init__(message)
        # Attributes of its own, since the proxy's way of looking them up in the message is slow.
        self.queue_name = message.queue_name
        self.actor_name = message.actor_name
        self.args = message.args
        self.kwargs = message.kwargs
        self.options = message.options
        self.message_id = message.message_id
        self.message_timestamp = message.message_timestamp
        self.redis_id = redis_id
        #: Bytes of the encoded message.
        self.size = size
        #: When it was taken off the queue, in ms since the epoch.
        self.fetched = fetched
        #: How often it was taken from a worker that had died with it.
        self.rescued = rescued
        #: How often it was begun since it was rescued for the first time.
        self.begun_again = begun_again
        #: For how long (ms) it was held back until then, by cause; None where it never was.
        self.held = held or None
        self.execution: Execution | None = None
        #: The message that takes this one's place, in the same commit: a retry, or another wait.
        self.retry: Packet | None = None
        #: Messages that follow from it, in the same commit: the next part of a chain.
        self.followers: list[Packet] = []
        #: The group that it is a part of, and now done.
        self.join: Join | None = None
        #: When the retry is due, in ms since the epoch.
        self.retry_at: int | None = None
        #: (type, text) of what broke the execution off without fault of the job; its run goes again.
        self.broken_off: tuple[str, str] | None = None
        #: Whether this delivery leaves no trace: the message has merely moved.
        self.silent = False
        #: Where the message goes instead of being done with: "back" to its queue, or to "park" in `lot`.
        self.moves: Literal["", "back", "park"] = ""
        self.lot = ""
        self.cause: Cause | None = None

    @property
    def begun(self) -> bool:
        """Whether the run may have begun before this delivery: what has begun is seen through."""
        return bool(self.options.get("retries") or self.options.get("begun") is True or self.rescued)

    @property
    def exception(self) -> BaseException | None:
        """The exception that ended the execution."""
        return self._exception
