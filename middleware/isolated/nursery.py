"""The process that starts, watches and ends the processes of a worker's isolated runs.

It is forked from the worker before that has any thread, with the actors loaded, and never gets a thread of
its own: a fork of it is quick, and safe. As their parent it can end the processes without ever hitting
another that got the same id; it does so in time even while a job in the worker holds the interpreter's lock.

It ends when the worker does, however that ends: its socket is closed then. Every process of a run ends with
it, and with a run ends whatever the run has started and not taken out of its group.
"""

import errno
import gc
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import psutil

from callboard.core.errors import BUG
from callboard.middleware.isolated.frames import ASK, BEGIN, END, KILL, READY, WHERE, Cause
from callboard.middleware.isolated.whereabouts import SIGNAL, read_whereabouts

#: Seconds between two looks at the memory of those with a limit, and at the worker.
LOOK, LOOK_IDLE = 0.05, 0.5

#: Seconds to wait for the end of what has been killed.
PATIENCE = 2.0


@dataclass(slots=True)
class Life:
    """A process of a run."""

    pid: int
    leash: socket.socket
    #: The file with what is known of where it is.
    where: int
    #: When it is killed, whatever the worker does (s, monotonic).
    until: float
    #: Bytes of memory that it may have; 0: any.
    memory: int
    #: When the worker last gave a sign of life (s, monotonic).
    heard: float
    cause: Cause = Cause.OWN
    #: Bytes that it had when it was too much.
    had: int = 0


class Nursery:
    """Serves one worker.

    Parameters:
        control: where the worker's orders come from.
        begin: what a new process does, given the socket to its run's thread, the file for where it is and the
            process id of the nursery. It never returns.
        silence: seconds without a sign of life from the worker after which a process is killed.
    """

    def __init__(
        self, control: socket.socket, begin: Callable[[socket.socket, int, int], NoReturn], silence: float
    ) -> None:
        self._control = control
        self._begin = begin
        self._silence = silence
        self._lives: dict[int, Life] = {}
        self._worker = os.getppid()

    def serve(self) -> None:
        """Work until the worker is gone."""
        os.setsid()
        gc.collect()
        gc.freeze()
        self._bell, self._ring = socket.socketpair()
        for end in (self._bell, self._ring):
            end.setblocking(False)
        # A handler, though an empty one: without any, the end of a process would ring no bell.
        signal.signal(signal.SIGCHLD, _nothing)
        # Sent to all processes of a service when it is stopped; when to end is the worker's decision.
        signal.signal(signal.SIGTERM, _nothing)
        signal.set_wakeup_fd(self._ring.fileno(), warn_on_full_buffer=False)
        self._selector = selectors.PollSelector()
        self._selector.register(self._control, selectors.EVENT_READ, self._take_order)
        self._selector.register(self._bell, selectors.EVENT_READ, self._reap)
        self._control.send(READY)
        try:
            while os.getppid() == self._worker:
                for key, _ in self._selector.select(self._pause()):
                    key.data()
                self._look()
        except EOFError:
            pass
        finally:
            self._end_all()

    def _pause(self) -> float:
        """Seconds until something has to be looked at."""
        if any(life.memory for life in self._lives.values()):
            return LOOK
        first = min((life.until for life in self._lives.values()), default=float("inf"))
        return min(LOOK_IDLE, max(0.0, first - time.monotonic()))

    def _take_order(self) -> None:
        data, files, _, _ = socket.recv_fds(self._control, BEGIN.size, 3)
        if len(data) < BEGIN.size:
            raise EOFError
        limit, memory = BEGIN.unpack(data)
        leash, speech = (socket.socket(fileno=file) for file in files[:2])
        where = files[2]
        os.set_inheritable(where, False)
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            os.close(where)
            _send(leash, END.pack(Cause.REFUSED, 0, error.errno or errno.EAGAIN))
            leash.close()
            speech.close()
            return
        if pid == 0:
            self._become(leash, speech, where, parent)
        speech.close()
        leash.setblocking(False)
        now = time.monotonic()
        life = self._lives[pid] = Life(pid, leash, where, now + limit, memory, heard=now)
        self._selector.register(leash, selectors.EVENT_READ, lambda: self._obey(life))

    def _become(self, leash: socket.socket, speech: socket.socket, where: int, parent: int) -> NoReturn:
        """In the new process: let go of what is the nursery's."""
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for life in self._lives.values():
                life.leash.close()
                os.close(life.where)
            for each in (leash, self._control, self._bell, self._ring):
                each.close()
            self._begin(speech, where, parent)
        finally:
            # Whatever happens: this process must not go on as if it were the nursery.
            os._exit(BUG)

    def _obey(self, life: Life) -> None:
        if self._lives.get(life.pid) is not life:
            return
        try:
            order = life.leash.recv(16)
        except BlockingIOError:
            return
        except OSError:
            order = b""
        life.heard = time.monotonic()
        if WHERE in order:
            os.kill(life.pid, SIGNAL)
        if not order or KILL in order:
            self._selector.unregister(life.leash)
            self._kill(life)
        elif ASK in order:
            os.kill(life.pid, signal.SIGTERM)

    def _look(self) -> None:
        now = time.monotonic()
        for life in self._lives.values():
            if life.cause is not Cause.OWN:
                if now >= life.until:
                    life.until = float("inf")
                    self._kill(life)
            elif now >= life.until:
                self._condemn(life, Cause.TIME)
            elif now - life.heard > self._silence:
                self._condemn(life, Cause.SILENCE)
            elif life.memory and (had := _memory_of(life.pid)) > life.memory:
                life.had = had
                self._condemn(life, Cause.MEMORY)

    def _condemn(self, life: Life, cause: Cause) -> None:
        """Kill a process after a moment in which it can write down where it is."""
        life.cause, life.until = cause, time.monotonic() + LOOK
        os.kill(life.pid, signal.SIGTERM)

    def _kill(self, life: Life) -> None:
        os.kill(life.pid, signal.SIGKILL)
        _kill_group(life.pid)

    def _reap(self) -> None:
        """Bury what has ended, and tell its run's thread."""
        while True:
            try:
                if not self._bell.recv(4096):
                    break
            except BlockingIOError:
                break
        for life in list(self._lives.values()):
            pid, status = os.waitpid(life.pid, os.WNOHANG)
            if pid:
                del self._lives[pid]
                _kill_group(pid)
                if life.leash in self._selector.get_map():
                    self._selector.unregister(life.leash)
                _send(life.leash, END.pack(life.cause, status, life.had) + read_whereabouts(life.where))
                life.leash.close()
                os.close(life.where)

    def _end_all(self) -> None:
        for life in self._lives.values():
            self._kill(life)
        deadline = time.monotonic() + PATIENCE
        while self._lives and time.monotonic() < deadline:
            self._reap()
            time.sleep(0.005)


def _nothing(*_: Any) -> None:
    pass


def _kill_group(pid: int) -> None:
    """Kill what a process has started, itself included where it lives."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        # There is none, or (on macOS) only zombies are left of it.
        return


def _memory_of(pid: int) -> int:
    """Bytes of memory that a process has resident."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _send(leash: socket.socket, answer: bytes) -> None:
    try:
        leash.sendall(answer)
    except OSError:
        # Nobody waits for it any more.
        return
