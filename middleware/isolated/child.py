"""What the process of an isolated run does, from its fork to its end."""

import contextlib
import inspect
import logging
import os
import pickle
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, NoReturn

import sentry_sdk
from dramatiq import Message, MessageProxy
from dramatiq.middleware import AsyncIO, CurrentMessage

from callboard.core.parent import end_with_parent
from callboard.core.plain import plain
from callboard.middleware.capture import Capture
from callboard.middleware.events import bounded_result
from callboard.middleware.execution import enter
from callboard.middleware.isolated.frames import ERROR, MAX_FRAME, RESULT
from callboard.middleware.isolated.raised import take_apart
from callboard.middleware.isolated.voice import Spoken, Voice
from callboard.middleware.sentry import FLUSH_SECONDS

Functions = Mapping[str, Callable[..., Any]]


class Request(NamedTuple):
    """What a process is to do, and what its job may know of its run."""

    #: As `Message` takes it.
    message: dict[str, Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    execution_id: str
    fence: int | None
    started: int | None


def run_request(
    broker: Any, functions: Functions, speech: socket.socket, where: int, parent: int
) -> NoReturn:
    """Do what the other end of the socket asks for, tell it the outcome, and end; or end with the parent."""
    # A group of its own, so that what the job starts can be ended with it.
    os.setsid()
    end_with_parent(parent, signal.SIGKILL)
    _seed()
    voice = Voice(speech)
    try:
        request: Request = pickle.loads(voice.hear_request())  # noqa: S301 - from our own worker
        execution = _enter(request, voice)
        result = voice.interruptible(lambda: _call(broker, functions, execution, request), where)
    except BaseException as error:  # noqa: BLE001 - it is told where it is judged
        outcome = ERROR, pickle.dumps(take_apart(error, skip=_OWN))
    else:
        outcome = RESULT, _packed(result)
    voice.report_now()
    voice.send(*outcome)
    _flush()
    os._exit(0)


def _enter(request: Request, voice: Voice) -> Spoken:
    execution = Spoken(MessageProxy(Message(**request.message)), voice)
    execution.execution_id = request.execution_id
    execution.fence = request.fence
    execution.started = request.started
    Capture().install()
    enter(execution)
    return execution


def _call(broker: Any, functions: Functions, execution: Spoken, request: Request) -> Any:
    function = functions.get(execution.job)
    if function is None:
        raise LookupError(f"The job {execution.job} was declared after its worker had begun.")
    if inspect.iscoroutinefunction(inspect.unwrap(function)):
        asyncio = AsyncIO()
        asyncio.logger.setLevel(logging.WARNING)
        asyncio.before_worker_boot(broker, None)
    for middleware in broker.middleware:
        if isinstance(middleware, CurrentMessage):
            middleware.before_process_message(broker, execution.message)
    return function(*request.args, **request.kwargs)


def _packed(result: Any) -> bytes:
    """The result as it is, if it can be sent and is not too large."""
    try:
        packed = pickle.dumps(result)
    except Exception:  # noqa: BLE001 - it runs the value's own code
        packed = b""
    return packed if 0 < len(packed) <= MAX_FRAME else pickle.dumps(plain(bounded_result(result)))


def _flush() -> None:
    """Write out what the job has printed or reported. Nothing else that waits for the exit is run."""
    for stream in (sys.stdout, sys.stderr):
        # Either may be closed, or be None.
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    if sentry_sdk.get_client().is_active():
        sentry_sdk.flush(FLUSH_SECONDS)


def _seed() -> None:
    """Let each run have random numbers of its own; Python sees to its own generator itself."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()


_OWN = (__file__, inspect.getfile(Voice))
