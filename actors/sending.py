"""Sending many things at once to a service outside: what came of each, and whether it is worth going on."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import inf
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Final, Self

from callboard.actors.apart import LOOK_UP_S
from callboard.actors.providers.errors import Deferred, Denied, Overloaded, Refused, ServiceError, Unreachable
from callboard.core.logging import get_logger

log = get_logger(__name__)

#: What has gone out is handed over to be marked after so many, or so many seconds.
GROUP: Final = 24
GROUP_S: Final = 0.05
#: The most that may have gone out without having been marked: of so many nobody knows if all ends suddenly.
UNMARKED: Final = 48
#: Where nothing may be sent twice, the first are tried one by one: so many failures in a row are an outage.
PROBES: Final = 3

_OUTAGES = (Overloaded, Unreachable)
#: What a service says when something has gone out, by the item's id.
Said = dict[int, str]


@dataclass(slots=True)
class Sent:
    """What came of a batch: each item is in one of these, by its id."""

    done: Said = field(default_factory=dict)
    #: Never to be tried again, with the reason.
    refused: dict[int, str] = field(default_factory=dict)
    #: Worth another attempt.
    failed: dict[int, Exception] = field(default_factory=dict)
    #: Given up before their turn came.
    untried: list[int] = field(default_factory=list)
    #: Why the batch was given up: the service is away, or takes nothing from us.
    outage: ServiceError | None = None


class Sending:
    """A pool of threads that send, for as long as the block lasts.

    `send` gets an item and raises ServiceError. As many failures in a row as there are threads, or a whole
    batch of nothing else, are an outage. Nothing is begun after `until` (monotonic seconds). A `careful` one
    finds out whether the service is there with a few items, not with as many as there are threads.
    """

    def __init__(
        self, send: Callable[[Any], str], *, threads: int, until: float = inf, careful: bool = False
    ) -> None:
        self._send = send
        self._until = until
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="sending")
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._in_a_row = 0
        #: Whether anything has shown that the service is there.
        self._proven = not careful
        self._room = threading.Semaphore(UNMARKED)
        self._ended: SimpleQueue[int] = SimpleQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def send(
        self, items: Sequence[Any], sent: Sent, mark: Callable[[Said], None], stop: threading.Event
    ) -> None:
        """Send items, and note in `sent` what came of them.

        What has gone out is handed to `mark` in small groups while the others go out. At no time are more
        than `UNMARKED` out, or on their way, that `mark` has not returned from. Nothing is begun once `stop`
        is set, or once `mark` has failed, whose error is raised when all has come to an end.
        """
        begun, trouble = 0, None
        while begun < min(PROBES, len(items)) and not self._proven and not self._over(stop):
            self._one(items[begun], sent)
            begun += 1
        for item in items[begun:]:
            self._pool.submit(self._one, item, sent)
        left = len(items)
        while left:
            group = self._group(left)
            self._over(stop)
            left -= len(group)
            said = {item: sent.done[item] for item in group if item in sent.done}
            try:
                if said and trouble is None:
                    mark(said)
            except Exception as error:  # noqa: BLE001 - first what is on its way arrives
                trouble = error
                self._stop.set()
            if group:
                self._room.release(len(group))
        if trouble is not None:
            raise trouble
        if sent.outage is None and not sent.done and not sent.refused:
            errors = (error for error in sent.failed.values() if isinstance(error, _OUTAGES))
            sent.outage = next(errors, None)

    def _over(self, stop: threading.Event) -> bool:
        if stop.is_set():
            self._stop.set()
        return self._stop.is_set()

    def _group(self, left: int) -> list[int]:
        """The next of which it is known what came of them: none, if nothing has come of any in a while."""
        until = time.monotonic() + LOOK_UP_S
        group: list[int] = []
        while len(group) < min(GROUP, left):
            try:
                group.append(self._ended.get(timeout=max(until - time.monotonic(), 0.0)))
            except Empty:
                break
            if len(group) == 1:
                until = time.monotonic() + GROUP_S
        return group

    def _one(self, item: Any, sent: Sent) -> None:
        self._room.acquire()
        try:
            self._try(item, sent)
        finally:
            self._ended.put(item.id)

    def _try(self, item: Any, sent: Sent) -> None:
        if self._stop.is_set() or time.monotonic() >= self._until:
            sent.untried.append(item.id)
            return
        try:
            said = self._send(item)
        except Denied as error:
            sent.untried.append(item.id)
            self._give_up(error, sent)
        except Refused as error:
            self._works()
            sent.refused[item.id] = str(error)
        except Deferred as error:
            self._works()
            sent.failed[item.id] = error
        except Exception as error:
            sent.failed[item.id] = error
            if not isinstance(error, ServiceError):
                log.exception("Sending failed in an unforeseen way.", action="send_failed", item=item.id)
            if isinstance(error, _OUTAGES):
                with self._lock:
                    self._in_a_row += 1
                    over = self._in_a_row >= (self._threads if self._proven else PROBES)
                if over:
                    self._give_up(error, sent)
        else:
            self._works()
            sent.done[item.id] = said

    def _works(self) -> None:
        self._in_a_row, self._proven = 0, True

    def _give_up(self, error: ServiceError, sent: Sent) -> None:
        with self._lock:
            sent.outage = sent.outage or error
        self._stop.set()
