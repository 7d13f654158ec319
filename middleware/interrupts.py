"""Interrupts an actor's function from another thread, and nothing but that function.

CPython delivers an exception set for a thread at some later bytecode of that thread. Delivered a moment too
late it would hit the hooks behind the actor, or the next message: a success would turn into a retry, a
failure would be lost, the worker thread would die. A `Window` is open exactly as long as the function runs;
closing it waits for an interrupt under way, and withdraws one that has not been delivered.
"""

import ctypes
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from dramatiq.middleware import Interrupt

# A prototype of our own: the types of the one in `ctypes.pythonapi` would be everybody's, and Dramatiq, which
# interrupts for other reasons, calls it with others.
_prototype = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_ulong, ctypes.py_object)
_set_async_exception: Any = _prototype(("PyThreadState_SetAsyncExc", ctypes.pythonapi))


class RunEnded(Interrupt):
    """The run was ended by somebody's order."""


class WorkerFroze(Interrupt):
    """The run's worker gave no sign of life for so long that others may have taken its mutex."""


class Window:
    """The span in which one thread runs one actor's function. Used once, as a context manager."""

    __slots__ = ("_lock", "_open", "_thread", "interrupted_at", "interrupted_by", "order")

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._open = False
        self.interrupted_by: type[BaseException] | None = None
        #: When, by a clock that nobody sets (s).
        self.interrupted_at = 0.0
        #: What was given as the reason of the interrupt.
        self.order: tuple[str, str, str] | None = None

    def interrupt(self, exception: type[BaseException], order: tuple[str, str, str] | None = None) -> bool:
        """Raise an exception in the function, once. Returns whether the window was open for it."""
        with self._lock:
            if not self._open or self.interrupted_by is not None:
                return False
            self.order, self.interrupted_at = order, time.monotonic()
            self.interrupted_by = exception
            return self._strike(exception)

    @property
    def thread(self) -> int:
        """The thread that runs the function, or waits for it."""
        return self._thread

    def _strike(self, exception: type[BaseException]) -> bool:
        return bool(_set_async_exception(self._thread, exception) == 1)

    def close(self) -> None:
        """Let nothing more happen to this thread. May be called again."""
        while self._open:
            try:
                with self._lock:
                    if self.interrupted_by is not None:
                        _set_async_exception(self._thread, _NOTHING)
                    self._open = False
            except Interrupt:
                continue

    def __enter__(self) -> "Window":
        self._open = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Leash(Window):
    """The same for a function that another process runs: the thread that waits for it looks here itself."""

    __slots__ = ("look",)

    def __init__(self) -> None:
        super().__init__()
        #: Finds out where the process is: files, lines and names of functions, or nothing.
        self.look: Callable[[], list[tuple[str, int, str]]] | None = None

    def _strike(self, exception: type[BaseException]) -> bool:
        return True


#: A null pointer, which withdraws a pending exception.
_NOTHING = ctypes.py_object()


def interruptible(window: Window, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function within a window."""
    with window:
        return function(*args, **kwargs)
