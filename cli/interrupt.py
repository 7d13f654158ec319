"""Ctrl-C, which ends a command even where the exception that Python makes of it gets lost on the way.

It does where it happens to strike within a destructor or a callback from C.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_struck = False
_held = False


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


@contextmanager
def held() -> Iterator[None]:
    """Let what must not be left half known finish: Ctrl-C is raised afterwards, and a second one at once."""
    global _held
    _held = True
    try:
        yield
    finally:
        _held = False
    check()


def check() -> None:
    """To be called by whatever goes on for long: raise KeyboardInterrupt where Ctrl-C was pressed."""
    if _struck:
        raise KeyboardInterrupt


def _strike(_number: int, _frame: FrameType | None) -> None:
    global _struck
    patient = _held and not _struck
    _struck = True
    if not patient:
        raise KeyboardInterrupt
