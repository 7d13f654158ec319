"""Waiting for runs to end: many callers, one query at a time for all of them, no thread held meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

from callboard.core.clock import utcnow
from callboard.core.errors import Unavailable
from callboard.core.logging import get_logger

log = get_logger(__name__)

#: Which of these runs, all made since then, have ended.
Ended = Callable[[list[UUID], datetime], Awaitable[list[UUID]]]

#: Seconds between two looks: soon after the youngest wait began, and later on.
EAGER_S = 0.02
PATIENT_S = 0.2
EAGER_FOR_S = 2.0
#: Seconds until the next look when PostgreSQL does not answer.
AWAY_S = 1.0
#: The clocks of this machine and of the database may differ by this much.
SKEW = timedelta(days=1)


class Waiting:
    """The callers that wait for runs. All methods belong to one event loop."""

    def __init__(self, ended: Ended) -> None:
        self._ended = ended
        self._events: dict[UUID, asyncio.Event] = {}
        self._waiters: dict[UUID, int] = {}
        self._since: dict[UUID, datetime] = {}
        self._youngest = 0.0
        self._looking: asyncio.Task[None] | None = None
        self._closed = asyncio.Event()

    async def wait(self, run_id: UUID, timeout_s: float) -> bool:
        """Wait until the run has ended; False where it has not by then, or where the server stops."""
        if timeout_s <= 0 or self._closed.is_set():
            return False
        event = self._events.setdefault(run_id, asyncio.Event())
        self._waiters[run_id] = self._waiters.get(run_id, 0) + 1
        self._since.setdefault(run_id, utcnow() - SKEW)
        self._youngest = asyncio.get_running_loop().time()
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="wait for runs")
        try:
            async with asyncio.timeout(timeout_s):
                await event.wait()
        except TimeoutError:
            return False
        finally:
            self._forget(run_id)
        return not self._closed.is_set()

    def close(self) -> None:
        """End all waits now."""
        self._closed.set()
        for event in self._events.values():
            event.set()

    async def _look(self) -> None:
        while self._events and not self._closed.is_set():
            pause = await self._look_once()
            await asyncio.sleep(pause)

    async def _look_once(self) -> float:
        try:
            ended = await self._ended(list(self._events), min(self._since.values()))
        except Unavailable as error:
            log.warning("Cannot see whether runs have ended.", action="wait_unavailable", reason=str(error))
            return AWAY_S
        except Exception:
            # Whatever it was: without the next look, all who wait would do so in vain.
            log.exception("Looking for runs that have ended failed.", action="wait_failed")
            return AWAY_S
        for run_id in ended:
            if run_id in self._events:
                self._events[run_id].set()
        age = asyncio.get_running_loop().time() - self._youngest
        return EAGER_S if age < EAGER_FOR_S else PATIENT_S

    def _forget(self, run_id: UUID) -> None:
        self._waiters[run_id] -= 1
        if self._waiters[run_id] == 0:
            del self._waiters[run_id], self._events[run_id], self._since[run_id]
