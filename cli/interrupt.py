"""Ctrl-C, which ends a command even where the exception that Python makes of it gets lost on the way.

It does where it happens to strike within a destructor or a callback from C.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_struck = False


@contextmanager
def listening() -> Iterator[None]:
    """Note Ctrl-C, and raise KeyboardInterrupt as ever."""
    global _struck
    _struck = False
    before = signal.signal(signal.SIGINT, _strike)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def check() -> None:
    """To be called by whatever goes on for long: raise KeyboardInterrupt where Ctrl-C was pressed."""
    if _struck:
        raise KeyboardInterrupt


def _strike(_number: int, _frame: FrameType | None) -> None:
    global _struck
    _struck = True
    raise KeyboardInterrupt
