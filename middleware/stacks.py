"""Tells where a run is: the stack of what executes it, for somebody who asks.

A stack is files, lines and names of functions, the outermost first, from the job's own function on. It has
no values of variables.
"""

import json
import os
import platform
import sys
import threading
from types import FrameType
from typing import Any

import redis
from dramatiq import asyncio as stock

from callboard.core.logging import get_logger
from callboard.middleware import recording
from callboard.middleware.execution import Execution, now_ms
from callboard.middleware.interrupts import Leash
from callboard.middleware.recording import Recording

#: The most frames of an answer, and how long (s) it is kept for whoever asked.
MOST = 100
KEPT = 30

#: A file, a line and the name of a function.
Place = tuple[str, int, str]

BETWEEN = "The job's own function has not begun, or has just ended."
UNTOLD = "The run's process did not say where it is: it has only just begun, or ends."


class Stacks:
    """Answers for the runs of one worker process."""

    def __init__(self, broker: Any) -> None:
        self._logger = get_logger(__name__)
        self._broker = broker

    def asked(self, run_id: str, ask: str) -> None:
        """Answer, if the run is here, without keeping the caller: an isolated run takes a moment to tell."""
        for execution in Recording.of(self._broker).live():
            if execution.run_id == run_id:
                answer = threading.Thread(
                    target=self._answer, args=(execution, ask), name="callboard-stack", daemon=True
                )
                answer.start()
                return

    def _answer(self, execution: Execution, ask: str) -> None:
        places, thread, note = where_is(execution)
        answer = {
            "run_id": execution.run_id,
            "job": execution.job,
            "attempt": execution.attempt,
            "worker": self._broker.broker_id,
            "host": platform.node(),
            "pid": os.getpid(),
            "thread": thread,
            "isolated": isinstance(execution.window, Leash),
            "started_at": execution.started,
            "at": now_ms(),
            "frames": places[-MOST:],
            "note": note,
        }
        key = self._broker.keys.stack(ask)
        try:
            with self._broker.client.pipeline() as pipeline:
                pipeline.rpush(key, json.dumps(answer))
                pipeline.expire(key, KEPT)
                pipeline.execute()
        except redis.RedisError as error:
            self._logger.warning("Where run %s is could not be told: %s.", execution.run_id, error)


def where_is(execution: Execution) -> tuple[list[Place], str | None, str | None]:
    """Where an execution is, the name of the thread, and a sentence where that cannot be told."""
    window = execution.window
    if window is None:
        return [], None, BETWEEN
    thread = next((each.name for each in threading.enumerate() if each.ident == window.thread), None)
    if isinstance(window, Leash):
        places = window.look() if window.look is not None else []
        return places, thread, None if places else UNTOLD
    places = _places_of(window.thread)
    return places, thread, None if places else BETWEEN


def _places_of(thread: int) -> list[Place]:
    frames = sys._current_frames()
    own = _inside(frames.get(thread))
    for place, frame in enumerate(own):
        if frame.f_code is stock.EventLoopThread.run_coroutine.__code__:
            # The thread waits for a coroutine; where that is, is the question.
            before = [each for each in own[:place] if each.f_code.co_filename != stock.__file__]
            return [_place(each) for each in before] + _awaited(frame.f_locals.get("coro"), frames)
    return [_place(each) for each in own]


def _inside(frame: FrameType | None) -> list[FrameType]:
    """The frames of a thread within the job's function, the outermost first."""
    found: list[FrameType] = []
    while frame is not None:
        if frame.f_code.co_filename == recording.__file__:
            return found[::-1]
        found.append(frame)
        frame = frame.f_back
    return []


def _awaited(coroutine: Any, frames: dict[int, FrameType]) -> list[Place]:
    """Where a coroutine is: along what it awaits, or on the stack of the loop that runs it just now."""
    found: list[Place] = []
    while coroutine is not None and len(found) < MOST:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is None:
            return found
        if getattr(coroutine, "cr_running", False):
            return found + _running(frame, frames)
        found.append(_place(frame))
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)
    return found


def _running(begin: FrameType, frames: dict[int, FrameType]) -> list[Place]:
    for frame in frames.values():
        stack: list[Place] = []
        inner: FrameType | None = frame
        while inner is not None:
            stack.append(_place(inner))
            if inner is begin:
                return stack[::-1]
            inner = inner.f_back
    return [_place(begin)]


def _place(frame: FrameType) -> Place:
    return frame.f_code.co_filename, frame.f_lineno or 0, frame.f_code.co_qualname
