"""The worker's end: starts the nursery, and has runs done in processes of their own."""

import contextlib
import functools
import os
import pickle
import signal
import socket
import sys
import threading
import time
from typing import Any, NoReturn

from dramatiq.middleware import Shutdown

from callboard.core.logging import get_logger
from callboard.middleware import keeper, mutex
from callboard.middleware.execution import Execution
from callboard.middleware.interrupts import Leash, Window
from callboard.middleware.isolated.call import Call, NurseryLost
from callboard.middleware.isolated.child import Functions, Request, run_request
from callboard.middleware.isolated.frames import BEGIN, READY, REQUEST, frame
from callboard.middleware.isolated.nursery import Nursery
from callboard.middleware.isolated.whereabouts import Whereabouts

#: Seconds after its time limit at which the nursery kills a process by itself. The worker is sooner, unless a
#: job holds the interpreter's lock there.
HARD = 0.85

#: Seconds to wait for the nursery to be ready, and to end.
PATIENCE = 5.0


class Caller:
    """One worker process's. It must be made before the process has any thread beside the main one.

    Parameters:
        broker: the broker that the jobs find.
        functions: what each isolated job runs.
    """

    def __init__(self, broker: Any, functions: Functions) -> None:
        self._logger = get_logger(__name__)
        self._broker = broker
        self._sending = threading.Lock()
        self._lost = threading.Event()
        self._control, theirs = socket.socketpair()
        for stream in (sys.stdout, sys.stderr):
            # What they hold would be written again by each process.
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()
        self._pid = os.fork()
        if self._pid == 0:
            self._control.close()
            self._nurse(theirs, functions)
        theirs.close()
        # The first run's time is not to be spent on this.
        self._control.settimeout(PATIENCE)
        with contextlib.suppress(OSError):
            self._control.recv(len(READY))
        self._control.settimeout(None)

    def call(
        self,
        execution: Execution,
        window: Window,
        memory: int,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Run the job of an execution in a process of its own, which is gone when this returns or raises."""
        request = Request(
            execution.message.asdict(),
            args,
            kwargs,
            execution.execution_id,
            execution.fence,
            execution.started,
        )
        limit = execution.limit_ms
        order = BEGIN.pack(float("inf") if limit is None else limit / 1000 + HARD, memory)
        try:
            leash, speech, where = self._begin(order)
            # Whatever happens here: when the leash is let go, the process is killed.
            with leash, speech, where:
                call = Call(execution, window, leash, speech, memory)
                if isinstance(window, Leash):
                    window.look = functools.partial(where.look, call.ask_where)
                return call.result(frame(REQUEST, pickle.dumps(request)))
        except NurseryLost:
            self._wait_for_the_end(window)

    def stop(self) -> None:
        """End the nursery, and with it whatever it still has."""
        self._control.close()
        deadline = time.monotonic() + PATIENCE
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(self._pid, os.WNOHANG)[0] == 0 and time.monotonic() < deadline:
                time.sleep(0.005)

    def _begin(self, order: bytes) -> tuple[socket.socket, socket.socket, Whereabouts]:
        leash, their_leash = socket.socketpair()
        speech, their_speech = socket.socketpair()
        where = Whereabouts()
        with their_leash, their_speech:
            files = [their_leash.fileno(), their_speech.fileno(), where.file]
            try:
                with self._sending:
                    socket.send_fds(self._control, [order], files)
            except OSError:
                for each in (leash, speech, where):
                    each.close()
                raise NurseryLost from None
        return leash, speech, where

    def _wait_for_the_end(self, window: Window) -> NoReturn:
        """Have this worker end, since another can be forked only where there are no threads.

        The run has done nothing wrong: it goes again, by the worker's successor.
        """
        if not self._lost.is_set() and not self._broker.draining:
            self._lost.set()
            self._logger.critical("The process that starts isolated runs has died; this worker ends.")
            os.kill(os.getpid(), signal.SIGTERM)
        while not self._broker.draining:
            if window.interrupted_by is not None:
                raise window.interrupted_by
            time.sleep(0.05)
        raise Shutdown

    def _nurse(self, control: socket.socket, functions: Functions) -> NoReturn:
        """In the nursery's process."""
        code = 0
        try:
            begin = functools.partial(run_request, self._broker, functions)
            # The last renewal of its mutex may have been a round ago, and it takes the nursery a moment.
            silence = max(1.0, mutex.LEASE / 1000 - keeper.ROUND - 1.0)
            Nursery(control, begin, silence).serve()
        except BaseException:
            self._logger.exception("The process that starts isolated runs failed.")
            code = 1
        finally:
            os._exit(code)
