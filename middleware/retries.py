"""Decides whether a failed run is tried again, and when.

The retry is put onto the queue in the very step that acknowledges the failed delivery: neither lost nor
doubled. An execution that was broken off without fault of the job is no attempt: its run goes again at once.
"""

import inspect
import math
import time
import traceback
from typing import Any

from dramatiq import MessageProxy, Retry, middleware
from dramatiq.middleware import Shutdown

from callboard.core.backoff import MAX_DELAY_MS, Backoff, exponential, parse_backoff
from callboard.core.errors import BadInput
from callboard.core.limits import MAX_TRACEBACK, cut
from callboard.middleware.delivery import Delivery
from callboard.middleware.interrupts import WorkerFroze
from callboard.middleware.mutex import MutexLost
from callboard.middleware.options import check_number, refuse

#: How it is told that an execution was broken off without fault of the job.
STOPPED = "The worker was stopped while the job was running."
MUTEX_LOST = "Another run took the mutex while this one could not renew it."


class Retries(middleware.Retries):
    """The actor options `max_retries`, `backoff`, `retry_when`, `throws`, `on_retry_exhausted`.

    An error that has a `retry_after`, in seconds, is not retried before that is over.

    `backoff` is a policy of `callboard.core.backoff` or its name; `min_backoff` and `max_backoff` (ms) shape
    Dramatiq's exponential one where no `backoff` is named.
    """

    #: Whether a failed attempt is followed by another at all.
    enabled = True

    @classmethod
    def like(cls, stock: middleware.Retries) -> "Retries":
        """Ours with the settings of Dramatiq's."""
        return cls(
            max_retries=stock.max_retries,
            min_backoff=stock.min_backoff,
            max_backoff=stock.max_backoff,
            retry_when=stock.retry_when,
        )

    @property
    def actor_options(self) -> set[str]:
        """The options of an actor that this middleware reads."""
        return {*super().actor_options, "backoff"}

    def before_declare_actor(self, broker: Any, actor: Any) -> None:
        check_number(actor, "max_retries", least=0, unit="", whole=True, none=True)
        if "backoff" in actor.options:
            try:
                parse_backoff(actor.options["backoff"])
            except BadInput:
                use = "linear, exponential or fixed, or one of callboard.core.backoff"
                raise refuse(actor, "backoff", use) from None

    def max_attempts(self, options: dict[str, Any]) -> int | None:
        """How many attempts an actor with those options has in all; None: no limit."""
        if not self.enabled:
            return 1
        retries = options.get("max_retries", self.max_retries)
        return None if retries is None or "retry_when" in options else retries + 1

    def before_process_message(self, broker: Any, message: MessageProxy) -> None:
        if isinstance(message, Delivery) and message.execution is not None:
            options = broker.get_actor(message.actor_name).options
            message.execution.max_attempts = self.max_attempts({**options, **message.options})

    def after_process_message(
        self,
        broker: Any,
        message: MessageProxy,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        if exception is None:
            return
        try:
            self._judge(broker, message, exception)
        except BaseException:
            # Such as a predicate that fails or exits, or arguments that the job itself has made unencodable.
            self.logger.exception("Message %r cannot be tried again.", message.message_id)
            message.fail()

    def _judge(self, broker: Any, message: MessageProxy, exception: BaseException) -> None:
        if isinstance(message, Delivery) and _is_broken_off(broker, message, exception):
            told = MUTEX_LOST if isinstance(exception, MutexLost) else STOPPED
            message.broken_off = (type(exception).__name__, told)
            message.retry = broker.follow_up(message.copy(options={"begun": True}), None)
            return

        options = broker.get_actor(message.actor_name).options
        throws = message.options.get("throws") or options.get("throws")
        ended = (
            isinstance(message, Delivery) and message.execution is not None and message.execution.interrupt
        )
        if ended or (throws and isinstance(exception, throws)) or _is_misfit(broker, message, exception):
            message.fail()
            return

        retries = message.options.get("retries", 0)
        # Of the message itself, so that callbacks are told as well.
        message.options["retries"] = retries + 1
        message.options["traceback"] = cut(
            "".join(traceback.format_exception(exception, limit=30)), MAX_TRACEBACK
        )
        message.options["requeue_timestamp"] = int(time.time() * 1000)
        if not self._again(retries, exception, message, options):
            self.logger.info("No attempt is left for message %r.", message.message_id)
            message.fail()
            self._tell_exhausted(broker, message, options, retries)
            return

        delay = self._delay(retries, exception, message, options)
        if isinstance(message, Delivery):
            message.retry = broker.follow_up(message, delay)
            message.retry_at = int(time.time() * 1000) + delay
        else:
            broker.enqueue(message, delay=delay)

    def _again(
        self, retries: int, error: BaseException, message: MessageProxy, options: dict[str, Any]
    ) -> bool:
        if not self.enabled:
            return False
        retry_when = options.get("retry_when", self.retry_when)
        if retry_when is not None:
            return bool(retry_when(retries, error))
        allowed = message.options.get("max_retries", options.get("max_retries", self.max_retries))
        return allowed is None or retries < allowed

    def _delay(
        self, retries: int, error: BaseException, message: MessageProxy, options: dict[str, Any]
    ) -> int:
        if isinstance(error, Retry) and error.delay is not None:
            return min(int(error.delay), MAX_DELAY_MS)
        delay = self._policy({**options, **message.options}).delay_ms(retries + 1)
        return min(max(delay, _asked_ms(error)), MAX_DELAY_MS)

    def _policy(self, options: dict[str, Any]) -> Backoff:
        if "backoff" in options:
            return parse_backoff(options["backoff"])
        # Chance takes up to a half off, and nothing may come before the least delay.
        return exponential(
            min_ms=2 * options.get("min_backoff", self.min_backoff),
            cap_ms=options.get("max_backoff", self.max_backoff),
        )

    def _tell_exhausted(
        self, broker: Any, message: MessageProxy, options: dict[str, Any], retries: int
    ) -> None:
        target = message.options.get("on_retry_exhausted") or options.get("on_retry_exhausted")
        if target:
            allowed = message.options.get("max_retries", options.get("max_retries", self.max_retries))
            broker.get_actor(target).send(message.asdict(), {"retries": retries, "max_retries": allowed})


def _asked_ms(error: BaseException) -> int:
    """For how long whoever the job has asked wants to be left alone: an error's `retry_after`, in seconds."""
    asked = getattr(error, "retry_after", None)
    if isinstance(asked, bool) or not isinstance(asked, int | float) or not 0 < asked < math.inf:
        return 0
    return int(min(asked * 1000, MAX_DELAY_MS))


def _is_misfit(broker: Any, message: MessageProxy, exception: BaseException) -> bool:
    """Whether the actor does not take the arguments, as those of an older version; it never will."""
    if not isinstance(exception, TypeError):
        return False
    try:
        signature = inspect.signature(broker.get_actor(message.actor_name).fn)
        signature.bind(*message.args, **message.kwargs)
    except TypeError:
        return True
    except ValueError:
        return False
    return False


def _is_broken_off(broker: Any, message: Delivery, exception: BaseException) -> bool:
    """Whether the engine has broken the execution off; a job might raise the like by itself for ever."""
    if isinstance(exception, Shutdown):
        return bool(broker.draining)
    window = message.execution.window if message.execution is not None else None
    by = window.interrupted_by if window is not None else None
    return by is type(exception) and by in (MutexLost, WorkerFroze)
