"""Sending many things at once to a service outside: what came of each, and whether it is worth going on."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from math import inf
from types import TracebackType
from typing import Any, Self

from callboard.actors.providers.errors import Denied, Overloaded, Refused, ServiceError, Unreachable
from callboard.core.logging import get_logger

log = get_logger(__name__)

#: How often the run looks up while others send: it can be interrupted then.
LOOK_UP_S = 0.2

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
    batch of nothing else, are an outage. Nothing is begun after `until` (monotonic seconds).
    """

    def __init__(self, send: Callable[[Any], str], *, threads: int, until: float = inf) -> None:
        self._send = send
        self._until = until
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="sending")
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._in_a_row = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def send(self, items: Sequence[Any], sent: Sent) -> None:
        """Send items, and note in `sent` what came of them, also where an interrupt ends it early."""
        futures: list[Future[None]] = [self._pool.submit(self._one, item, sent) for item in items]
        try:
            _wait(futures)
        finally:
            # After an interrupt: what is on its way arrives or fails, and nothing more is begun.
            if not all(future.done() for future in futures):
                self._stop.set()
                _wait(futures)
        if sent.outage is None and not sent.done and not sent.refused:
            errors = (error for error in sent.failed.values() if isinstance(error, _OUTAGES))
            sent.outage = next(errors, None)

    def _one(self, item: Any, sent: Sent) -> None:
        if self._stop.is_set() or time.monotonic() >= self._until:
            sent.untried.append(item.id)
            return
        try:
            said = self._send(item)
        except Denied as error:
            sent.untried.append(item.id)
            self._give_up(error, sent)
        except Refused as error:
            self._in_a_row = 0
            sent.refused[item.id] = str(error)
        except Exception as error:
            sent.failed[item.id] = error
            if not isinstance(error, ServiceError):
                log.exception("Sending failed in an unforeseen way.", action="send_failed", item=item.id)
            if isinstance(error, _OUTAGES):
                with self._lock:
                    self._in_a_row += 1
                    over = self._in_a_row >= self._threads
                if over:
                    self._give_up(error, sent)
        else:
            self._in_a_row = 0
            sent.done[item.id] = said

    def _give_up(self, error: ServiceError, sent: Sent) -> None:
        with self._lock:
            sent.outage = sent.outage or error
        self._stop.set()


def _wait(futures: Sequence[Future[None]]) -> None:
    pending: Any = set(futures)
    while pending:
        pending = wait(pending, timeout=LOOK_UP_S).not_done
