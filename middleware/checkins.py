"""Tells Sentry's cron monitors that a scheduled run has begun, and how it ended.

The scheduler says with the message which monitor it is (`core.monitors`); a message without one costs
nothing. The check-ins of a run have its id, and so are one to Sentry, whichever worker makes them.
"""

from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from dramatiq import MessageProxy
from sentry_sdk.crons import capture_checkin

from callboard.core.monitors import longest_minutes
from callboard.middleware.retries import Retries


def check_in(broker: Any, message: MessageProxy) -> None:
    """A run begins; its later attempts are parts of the same one."""
    known = message.options.get("monitor")
    execution = getattr(message, "execution", None)
    if not isinstance(known, dict) or execution is None or execution.attempt > 1:
        return
    capture_checkin(
        monitor_slug=known.get("slug"),
        check_in_id=_id(execution.run_id),
        status="in_progress",
        monitor_config={
            "schedule": {"type": "crontab", "value": known.get("expr", "")},
            "timezone": known.get("tz", "UTC"),
            "max_runtime": longest_minutes(execution.limit_ms, _attempts(broker, message)),
        },
    )


def check_out(message: MessageProxy, exception: BaseException | None) -> None:
    """An attempt has ended; the run with it, unless it is to be retried or goes again."""
    known = message.options.get("monitor")
    execution = getattr(message, "execution", None)
    if not isinstance(known, dict) or execution is None or execution.started is None:
        return
    if getattr(message, "retry", None) is not None or getattr(message, "moves", None):
        return
    # Of several attempts Sentry measures by itself how long they took together.
    once = execution.attempt == 1 and execution.duration_ms is not None
    capture_checkin(
        monitor_slug=known.get("slug"),
        check_in_id=_id(execution.run_id),
        status="ok" if exception is None else "error",
        duration=execution.duration_ms / 1000 if once else None,
    )


def _attempts(broker: Any, message: MessageProxy) -> int | None:
    options = {**broker.get_actor(message.actor_name).options, **message.options}
    retries = (middleware for middleware in broker.middleware if isinstance(middleware, Retries))
    return next((each.max_attempts(options) for each in retries), None)


def _id(run_id: Any) -> str:
    try:
        return UUID(run_id).hex
    except ValueError:
        return uuid5(NAMESPACE_OID, run_id).hex
