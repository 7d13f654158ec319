"""What a scheduler does besides claiming slots, in a thread of its own: no slot waits for it."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from callboard.core.logging import get_logger
from callboard.scheduler.outage import Outage
from callboard.scheduler.relay import REDIS_ERRORS, RedisUnavailable

log = get_logger(__name__)


@dataclass(eq=False)
class Duty:
    """Something done again and again."""

    name: str
    #: Does it. Returns for how many seconds to wait at most before the next time, or None for the usual.
    action: Callable[[], float | None]
    #: Seconds between two times.
    every: float
    next_at: float = field(default=0.0, init=False)
    #: Whether it is to be done at once.
    asked: bool = field(default=False, init=False)


class Courier(threading.Thread):
    """Does its duties when they are due or asked for. One that fails is tried again and holds up no other."""

    def __init__(
        self, duties: Iterable[Duty], database: Outage, redis: Outage, *, name: str = "callboard-courier"
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._duties = {duty.name: duty for duty in duties}
        self._database = database
        self._redis = redis
        self._wake = threading.Event()
        self._ending = False

    def ask(self, *names: str) -> None:
        """Have duties done at once. May be called from any thread."""
        for name in names:
            self._duties[name].asked = True
        self._wake.set()

    def stop(self) -> None:
        """End the thread after the duty at hand."""
        self._ending = True
        self._wake.set()

    def run(self) -> None:
        """Do the duties until stopped."""
        while not self._ending:
            now = time.monotonic()
            for duty in self._duties.values():
                if (duty.asked or duty.next_at <= now) and not self._ending:
                    self._do(duty)
            soonest = min(duty.next_at for duty in self._duties.values())
            self._wake.wait(max(0.0, soonest - time.monotonic()))
            self._wake.clear()

    def _do(self, duty: Duty) -> None:
        asked, duty.asked = duty.asked, False
        try:
            pause = duty.action()
            duty.next_at = time.monotonic() + min(
                duty.every, duty.every if pause is None else max(0.0, pause)
            )
            return
        except (*REDIS_ERRORS, RedisUnavailable) as error:
            pause = self._redis.failed(error)
        except SQLAlchemyError as error:
            pause = self._database.failed(error)
        except Exception:
            log.exception("A duty failed unexpectedly.", action="duty_failed", duty=duty.name)
            pause = duty.every
        duty.next_at = time.monotonic() + min(pause, duty.every)
        if asked:
            duty.next_at = min(duty.next_at, time.monotonic() + 1.0)
