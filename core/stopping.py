"""An order to stop that a signal handler may give.

A handler runs in the main thread, between any two steps of what it interrupts. Setting a `threading.Event`
there takes a lock that the main thread may hold at that very moment, since it waits on the same event: then
both wait for ever.
"""

from queue import Empty, SimpleQueue


class StopOrder:
    """Serves as a `threading.Event` that is set once, from anywhere, and that one thread waits for."""

    def __init__(self) -> None:
        self._given = False
        # Made for being put to from a signal handler at any time.
        self._calls: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        """Give the order."""
        self._given = True
        self._calls.put(None)

    def is_set(self) -> bool:
        """Whether it was given."""
        return self._given

    def wait(self, timeout: float) -> bool:
        """Wait for the order for `timeout` seconds. Returns whether it was given."""
        if not self._given:
            try:
                self._calls.get(timeout=timeout)
            except Empty:
                return self._given
        return True
