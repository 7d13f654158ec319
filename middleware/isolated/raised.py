"""Carries an exception from one process into another: its type, its words, its causes and its traceback.

A traceback cannot be pickled. What it says of each frame can: on the other side it is rebuilt from frames
that look the same, so that whatever prints, groups or reports tracebacks shows where the job has failed.

The type is kept as well: `throws`, `retry_when` and `except` go by it. Where an exception cannot be pickled,
a stand-in has its name and its words, and the nearest of its base classes that can.
"""

import pickle
import sys
from collections.abc import Collection
from types import CodeType, TracebackType
from typing import Any, NamedTuple

from callboard.core.limits import MAX_ERROR, cut
from callboard.core.plain import words

#: The most exceptions of a chain, and frames of a traceback, that are carried.
MAX_CHAIN, MAX_FRAMES = 10, 100

#: The most bytes of a pickled exception; of a larger one a stand-in is carried.
MAX_PICKLED = 2**20


class Frame(NamedTuple):
    """A line of a traceback."""

    file: str
    line: int
    function: str
    module: str


class Raised(NamedTuple):
    """An exception, ready to be pickled."""

    #: The pickled exception, or None.
    whole: bytes | None
    #: What a stand-in is made of: names of the class and its module, a pickled base class, the words.
    name: str
    module: str
    base: bytes
    text: str
    frames: list[Frame]
    cause: "Raised | None"
    context: "Raised | None"
    suppressed: bool


def take_apart(error: BaseException, skip: Collection[str] = (), depth: int = MAX_CHAIN) -> Raised:
    """Make an exception ready. Frames of the files `skip` are left out."""
    kind = type(error)

    def chained(other: BaseException | None) -> Raised | None:
        return take_apart(other, skip, depth - 1) if other is not None and depth > 1 else None

    return Raised(
        whole=_pickled(error),
        name=kind.__name__,
        module=kind.__module__,
        base=next(pickled for base in kind.__mro__ if (pickled := _pickled(base)) is not None),
        text=cut(words(error), MAX_ERROR),
        frames=_frames(error.__traceback__, skip),
        cause=chained(error.__cause__),
        context=chained(None if error.__cause__ is not None else error.__context__),
        suppressed=error.__suppress_context__,
    )


def put_together(raised: Raised) -> BaseException:
    """The exception again, ready to be raised."""
    error = _whole(raised) or _stand_in(raised)
    if raised.cause is not None:
        error.__cause__ = put_together(raised.cause)
    if raised.context is not None:
        error.__context__ = put_together(raised.context)
    error.__suppress_context__ = raised.suppressed
    return error.with_traceback(traceback_of(raised.frames))


def _pickled(value: Any) -> bytes | None:
    """A value pickled, if it can be and comes back."""
    try:
        pickled = pickle.dumps(value)
        if len(pickled) > MAX_PICKLED:
            return None
        pickle.loads(pickled)  # noqa: S301 - what has just been pickled here
    except Exception:  # noqa: BLE001 - it runs the value's own code
        return None
    return pickled


def _whole(raised: Raised) -> BaseException | None:
    if raised.whole is None:
        return None
    try:
        error = pickle.loads(raised.whole)  # noqa: S301 - from a process of our own
    except Exception:  # noqa: BLE001 - it runs the exception's own code
        return None
    return error if isinstance(error, BaseException) else None


def _stand_in(raised: Raised) -> BaseException:
    base: Any = Exception
    try:
        base = pickle.loads(raised.base)  # noqa: S301 - from a process of our own
        if not issubclass(base, BaseException):
            base = Exception
    except Exception:  # noqa: BLE001 - as where a module cannot be imported here
        base = Exception
    looks = {"__module__": raised.module, "__str__": lambda _: raised.text}
    try:
        # Its constructor may ask for anything.
        error: BaseException = base.__new__(type(raised.name, (base,), looks))
    except TypeError:
        error = Exception.__new__(type(raised.name, (Exception,), looks))
    error.args = (raised.text,)
    return error


def _frames(trace: TracebackType | None, skip: Collection[str]) -> list[Frame]:
    found: list[Frame] = []
    while trace is not None and len(found) < MAX_FRAMES:
        code, module = trace.tb_frame.f_code, trace.tb_frame.f_globals.get("__name__")
        if code.co_filename not in skip:
            found.append(Frame(code.co_filename, trace.tb_lineno or 0, code.co_name, str(module)))
        trace = trace.tb_next
    return found


def traceback_of(frames: list[Frame]) -> TracebackType | None:
    """A traceback of frames, the outermost first."""
    trace = None
    for each in reversed(frames):
        code = _BLANK.replace(
            co_filename=each.file, co_name=each.function, co_qualname=each.function, co_firstlineno=each.line
        )
        names: dict[str, Any] = {"__name__": each.module, "__file__": each.file, "look": sys._getframe}
        variables: dict[str, Any] = {}
        exec(code, names, variables)  # noqa: S102 - two names of our own
        # No instruction is marked as the one that failed: the blank has none that could have.
        trace = TracebackType(trace, variables.pop("frame"), -1, each.line)
    return trace


_BLANK: CodeType = compile("frame = look()", "<blank>", "exec")
