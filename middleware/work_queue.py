"""The queue between a worker's consumers and its threads.

Dramatiq's own is a `queue.PriorityQueue`, whose locks are written in Python: with eight threads on it,
handing a message over costs more than running a short job. This one sorts by the same rule (priority, then
age), and each thread that finds it empty waits for a lock of its own, in C. (A `queue.SimpleQueue` waits in C
too, but for ever where another thread takes what it was woken for and its time is up meanwhile.)
"""

import threading
import time
from _thread import LockType, allocate_lock
from heapq import heappop, heappush
from itertools import count
from queue import Empty
from typing import Any


class WorkQueue:
    """Serves where `dramatiq.worker.Worker` expects a `queue.PriorityQueue`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._items: list[tuple[int, int, Any]] = []
        self._waiters: list[LockType] = []
        self._number = count()
        self._all_done = threading.Condition(self._lock)
        #: Items that were put and are not done yet.
        self.unfinished_tasks = 0

    def put(self, item: Any) -> None:
        """Add an item; `item.priority` orders it, the lowest first."""
        with self._lock:
            heappush(self._items, (item.priority, next(self._number), item))
            self.unfinished_tasks += 1
            if self._waiters:
                self._waiters.pop().release()

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take the first item; wait for one for `timeout` seconds.

        Raises:
            queue.Empty: there was none in time.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            with self._lock:
                if self._items:
                    return heappop(self._items)[2]
                if not block:
                    raise Empty
                waiter = allocate_lock()
                waiter.acquire()
                self._waiters.append(waiter)
            patience = -1 if deadline is None else max(0.0, deadline - time.monotonic())
            if not waiter.acquire(timeout=patience):
                # One last look: an item may have come just now, for this very thread.
                block = False
                with self._lock:
                    if waiter in self._waiters:
                        self._waiters.remove(waiter)

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
