"""The queue between a worker's consumers and its threads.

Dramatiq's own is a `queue.PriorityQueue`, whose locks are written in Python: with eight threads on it,
handing a message over costs more than running a short job. This one sorts by the same rule (priority, then
age) and waits in C.
"""

import threading
from heapq import heappop, heappush
from itertools import count
from queue import SimpleQueue
from typing import Any


class WorkQueue:
    """Serves where `dramatiq.worker.Worker` expects a `queue.PriorityQueue`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._items: list[tuple[int, int, Any]] = []
        self._tokens: SimpleQueue[None] = SimpleQueue()
        self._number = count()
        self._all_done = threading.Condition(self._lock)
        #: Items that were put and are not done yet.
        self.unfinished_tasks = 0

    def put(self, item: Any) -> None:
        """Add an item; `item.priority` orders it, the lowest first."""
        with self._lock:
            heappush(self._items, (item.priority, next(self._number), item))
            self.unfinished_tasks += 1
        self._tokens.put(None)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take the first item; wait for one for `timeout` seconds.

        Raises:
            queue.Empty: there was none in time.
        """
        self._tokens.get(block, timeout)
        with self._lock:
            return heappop(self._items)[2]

    def get_nowait(self) -> Any:
        """Take the first item.

        Raises:
            queue.Empty: there is none.
        """
        return self.get(block=False)

    def task_done(self) -> None:
        """Say that an item is done with."""
        with self._lock:
            self.unfinished_tasks -= 1
            if self.unfinished_tasks == 0:
                self._all_done.notify_all()

    def join(self) -> None:
        """Wait until every item is done with."""
        with self._lock:
            while self.unfinished_tasks:
                self._all_done.wait()

    def qsize(self) -> int:
        """How many items wait."""
        return len(self._items)

    def empty(self) -> bool:
        """Whether none waits."""
        return not self._items
