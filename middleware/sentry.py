"""Reports failed runs to Sentry: by default only the failure after which nothing more is tried.

Without a DSN nothing is set up at all. An application that has set up Sentry itself keeps its own client, and
failures go there. Scheduled runs check in with Sentry's cron monitors (`checkins`). Events are sent by a
thread of the client's; no hook waits for the network.

Dramatiq's own integration is not used: it reports each failed attempt.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import sentry_sdk
from dramatiq import MessageProxy, Worker
from dramatiq.errors import Retry
from dramatiq.middleware import Interrupt, Middleware
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.utils import event_from_exception

from callboard.core.errors import BadInput
from callboard.core.hiding import hide
from callboard.core.settings import load_settings
from callboard.middleware.checkins import check_in, check_out
from callboard.middleware.execution import Execution

#: Seconds that a worker's end waits for events that have not been sent.
FLUSH_SECONDS = 3.0

_SCOPE = "_callboard_sentry_scope"


class Sentry(Middleware):
    """The actor option `sentry`: `"final"` (the default), `"every"` failed attempt, or `"never"`.

    It must stand before `Retries`, whose decision it reads.

    Parameters:
        dsn: where to report; unless given, the setting SENTRY_DSN says.
    """

    def __init__(self, dsn: str | None = None) -> None:
        self._dsn = dsn
        self._active = self._crons = False

    @property
    def actor_options(self) -> set[str]:
        """The options of an actor that this middleware reads."""
        return {"sentry"}

    def before_declare_actor(self, _broker: Any, actor: Any) -> None:
        choice = actor.options.get("sentry", "final")
        if choice not in ("final", "every", "never"):
            raise BadInput(
                f"The actor {actor.actor_name} has sentry={choice!r}; use 'final', 'every' or 'never'."
            )

    def before_worker_boot(self, _broker: Any, _worker: Worker) -> None:
        # Not earlier: a client made before a fork would be shared by the children.
        dsn = self._dsn or _dsn_of_settings()
        if dsn and not sentry_sdk.get_client().is_active():
            set_up(dsn)
        self._active = sentry_sdk.get_client().is_active()
        self._crons = self._active and load_settings().callboard_sentry_crons

    def after_worker_shutdown(self, _broker: Any, _worker: Worker) -> None:
        if self._active:
            sentry_sdk.flush(FLUSH_SECONDS)

    def before_process_message(self, broker: Any, message: MessageProxy) -> None:
        # What the run leaves behind (breadcrumbs, tags) is its own, not the thread's next run's.
        if self._active:
            scope = sentry_sdk.isolation_scope()
            scope.__enter__()
            setattr(message, _SCOPE, scope)
            if self._crons:
                check_in(broker, message)

    def after_process_message(
        self,
        broker: Any,
        message: MessageProxy,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        if not self._active:
            return
        try:
            if exception is not None:
                options = broker.get_actor(message.actor_name).options
                if _worth_reporting(message, exception, options):
                    _report(message, exception, options)
            if self._crons:
                check_out(message, exception)
        finally:
            _leave(message)

    def after_skip_message(self, _broker: Any, message: MessageProxy) -> None:
        if self._active:
            _leave(message)


def set_up(dsn: str) -> None:
    """Make this process's Sentry client. Logged errors are breadcrumbs: only failures of runs are events."""
    sentry_sdk.init(
        dsn=dsn,
        auto_enabling_integrations=False,
        integrations=[
            LoggingIntegration(event_level=None, sentry_logs_level=None),
            AtexitIntegration(callback=lambda _pending, _timeout: None),
        ],
        before_send=lambda event, _hint: _without_secrets(event),
    )


def _dsn_of_settings() -> str | None:
    dsn = load_settings().sentry_dsn
    return dsn.get_secret_value() if dsn is not None else None


def _worth_reporting(message: MessageProxy, error: BaseException, options: Mapping[str, Any]) -> bool:
    choice = options.get("sentry", "final")
    execution = getattr(message, "execution", None)
    if choice == "never" or (execution is not None and execution.interrupt is not None):
        return False
    if getattr(message, "retry", None) is None:
        return True
    broken_off = getattr(message, "broken_off", None) is not None
    return choice == "every" and not broken_off and not isinstance(error, Retry)


def _report(message: MessageProxy, error: BaseException, options: Mapping[str, Any]) -> None:
    client = sentry_sdk.get_client()
    event, hint = event_from_exception(
        error, client_options=client.options, mechanism={"type": "callboard", "handled": False}
    )
    execution = getattr(message, "execution", None) or Execution(message)
    job = execution.job
    with sentry_sdk.new_scope() as scope:
        scope.set_transaction_name(job, source="task")
        # `cron_job` is the name by which people filter who come from other cron systems.
        for tag, value in {
            "job": job,
            "cron_job": job,
            "category": options.get("category"),
            "queue": message.queue_name,
            "run_id": execution.run_id,
            "attempt": execution.attempt,
            "trigger": message.options.get("trigger", "code"),
        }.items():
            if value is not None:
                scope.set_tag(tag, str(value))
        scope.set_context("job", _facts(message, execution, options))
        if isinstance(error, Interrupt):
            # It strikes at any line; by its traceback each time limit would be a problem of its own.
            scope.fingerprint = [job, type(error).__name__]
        scope.capture_event(_without_secrets(event), hint=hint)


def _facts(message: MessageProxy, execution: Execution, options: Mapping[str, Any]) -> dict[str, Any]:
    facts = {
        "name": execution.job,
        "description": options.get("description"),
        "category": options.get("category"),
        "attempt": execution.attempt,
        "max_attempts": execution.max_attempts,
        "duration_ms": execution.duration_ms,
        "time_limit_ms": execution.limit_ms,
        "due_at_ms": message.options.get("due_at"),
        "schedule_id": message.options.get("schedule_id"),
        "requested_by": message.options.get("requested_by"),
    }
    return {key: value for key, value in facts.items() if value is not None}


def _without_secrets(value: Any) -> Any:
    """The event, or a part of it, without what the scrubber of Sentry's client does not know for a secret."""
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, dict):
        return {key: _without_secrets(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    return value


def _leave(message: MessageProxy) -> None:
    scope: AbstractContextManager[Any] | None = message.__dict__.pop(_SCOPE, None)
    if scope is not None:
        scope.__exit__(None, None, None)
