"""Spares a dependency that is down, and the runs that would fail on it: a circuit breaker across the fleet.

CLOSED: runs go; failures that follow each other are counted. OPEN: none goes until the recovery time is over.
HALF_OPEN: one run, the probe, may try; it closes the breaker or opens it again. The state is in Redis, and
changes in the very step that commits a run; each change is an event with its cause.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import redis
from dramatiq import MessageProxy
from dramatiq.middleware import Middleware

from callboard.core.hiding import hide
from callboard.core.limits import cut
from callboard.core.logging import get_logger
from callboard.core.plain import words
from callboard.middleware import mutex
from callboard.middleware.delivery import Delivery, Hold
from callboard.middleware.options import check_choice, check_number, refuse
from callboard.middleware.scripts import load_script
from callboard.middleware.skips import park, skip

#: What a breaker's admission answers.
CLOSED, PROBE = 1, 2

#: Ms for which a breaker is open that nothing but an operator closes: a hundred years.
NO_RECOVERY = 3_155_760_000_000

#: The longest cause that is kept, in characters.
MAX_CAUSE = 300


@dataclass(frozen=True, slots=True)
class BreakerSettings:
    """What holds for breakers that say nothing else. Times are in ms.

    Attributes:
        threshold: consecutive failures that open it.
        timeout: how long it stays open before a probe may try.
        window: a failure that long after the one before begins to count anew.
        recovers: whether a probe may try by itself; otherwise it stays open until an operator closes it. That
            holds for all breakers.
    """

    threshold: int = 5
    timeout: int = 300_000
    window: int = 60_000
    recovers: bool = True


class Breaker(Middleware):
    """The actor options `breaker`, `when_open`, `breaker_threshold`, `breaker_timeout`, `breaker_window`.

    `breaker=True` is a breaker of the job's own; a name (`"whatsapp"`) is shared by all jobs that name it.
    A run that finds it open waits, without a thread and without burning an attempt (`when_open="wait"`, the
    default), or is skipped (`when_open="skip"`), unless it has begun already.
    """

    def __init__(self, settings: BreakerSettings | None = None) -> None:
        self._logger = get_logger(__name__)
        self._settings = settings or BreakerSettings()

    @property
    def actor_options(self) -> set[str]:
        """The options of an actor that this middleware reads."""
        return {"breaker", "when_open", "breaker_threshold", "breaker_timeout", "breaker_window"}

    def before_declare_actor(self, broker: Any, actor: Any) -> None:
        name = actor.options.get("breaker")
        if not isinstance(name, bool | str | None) or (isinstance(name, str) and not 0 < len(name) <= 100):
            raise refuse(actor, "breaker", "True or the name of what it depends on")
        check_choice(actor, "when_open", ("wait", "skip"))
        check_number(actor, "breaker_threshold", least=1, unit="", whole=True)
        check_number(actor, "breaker_timeout", least=1, whole=True)
        check_number(actor, "breaker_window", least=1, whole=True)

    def before_worker_boot(self, broker: Any, worker: Any) -> None:
        self._admit = load_script(broker.client, "admit")

    def before_process_message(self, broker: Any, message: MessageProxy) -> None:
        if not isinstance(message, Delivery) or message.execution is None:
            return
        options = broker.get_actor(message.actor_name).options
        if not options.get("breaker"):
            return
        name = message.actor_name if options["breaker"] is True else options["breaker"]
        token = message.execution.execution_id
        try:
            answer, opened_at, cause = self._admit(keys=[broker.namespace], args=[name, token, mutex.LEASE])
        except redis.RedisError as error:
            self._logger.warning("A breaker cannot be asked for now: %s. Its run waits.", error)
            answer, opened_at, cause = 0, 0, b""
        if answer in (CLOSED, PROBE):
            hold = Hold("breaker", name, token, leased=answer == PROBE)
            message.execution.holds = (*message.execution.holds, hold)
            # Unless the actor runs there is nothing to be said of the dependency.
            message.execution.outcome = self._outcome(message, options, None, "")
            return
        reason = f"breaker: {name} is open since {_moment(opened_at)} ({cause.decode('utf-8', 'replace')})"
        if options.get("when_open") == "skip" and not message.begun:
            raise skip(message, reason)
        raise park(message, f"breaker|{name}", reason, "breaker")

    def after_process_message(
        self,
        broker: Any,
        message: MessageProxy,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        execution = message.execution if isinstance(message, Delivery) else None
        if execution is None or not execution.outcome or execution.started is None:
            return
        options = broker.get_actor(message.actor_name).options
        throws = message.options.get("throws") or options.get("throws")
        ok: bool | None = exception is None
        if exception is not None and (
            execution.interrupt is not None
            or (isinstance(message, Delivery) and message.broken_off is not None)
            or (throws and isinstance(exception, throws))
        ):
            ok = None
        cause = "" if exception is None else f"{type(exception).__name__}: {words(exception)}"
        execution.outcome = self._outcome(message, options, ok, cause)

    def _outcome(self, message: MessageProxy, options: dict[str, Any], ok: bool | None, cause: str) -> bytes:
        timeout = options.get("breaker_timeout", self._settings.timeout)
        return orjson.dumps(
            {
                "ok": ok,
                "cause": cut(hide(cause), MAX_CAUSE),
                "job": message.actor_name,
                "run": message.message_id,
                "threshold": options.get("breaker_threshold", self._settings.threshold),
                "window": options.get("breaker_window", self._settings.window),
                "timeout": timeout if self._settings.recovers else NO_RECOVERY,
            }
        )


def _moment(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%H:%M:%S} UTC"
