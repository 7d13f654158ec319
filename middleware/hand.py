"""What a process has in hand of one queue."""

import threading


class Hand:
    """The messages of one queue that this process has fetched and not committed yet.

    It outlives the consumer, which begins anew after each lost connection. What was parked or put back may be
    fetched again before its commit is told of; so each message is counted.
    """

    __slots__ = ("_counts", "_lock", "room")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self.room = threading.Event()

    def __len__(self) -> int:
        return len(self._counts)

    def ids(self) -> set[str]:
        """The ids of the messages."""
        with self._lock:
            return set(self._counts)

    def take(self, redis_id: str) -> None:
        """Add a message."""
        with self._lock:
            self._counts[redis_id] = self._counts.get(redis_id, 0) + 1

    def let_go(self, redis_id: str) -> None:
        """Remove a message, once."""
        with self._lock:
            left = self._counts.pop(redis_id, 0) - 1
            if left > 0:
                self._counts[redis_id] = left
