"""Keeps the log lines that an actor writes with the run that wrote them."""

import logging
from typing import Any

from callboard.core.hiding import hide
from callboard.core.logging import add_context, text_of
from callboard.middleware.delivery import Delivery
from callboard.middleware.execution import current_execution

#: Loggers that speak of the engine, not of the job.
ENGINE = ("dramatiq.", "callboard.middleware", "callboard.worker", "redis", "asyncio")

#: Where Dramatiq warns of a result that it does not store.
RESULTS = logging.getLogger("dramatiq.results.middleware.Results")

#: Where Dramatiq tells of each message that a hook has turned away.
WORKER = logging.getLogger("dramatiq.worker.WorkerThread")

_traces = logging.Formatter()


class Capture(logging.Handler):
    """A handler of the root logger. Lines from outside of a run pass it by."""

    def install(self) -> None:
        """Begin to capture."""
        add_context(run_fields)
        RESULTS.addFilter(_is_true)
        WORKER.addFilter(_has_ended)
        logging.getLogger().addHandler(self)

    def remove(self) -> None:
        """Capture no longer."""
        logging.getLogger().removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line, if it belongs to a run."""
        execution = current_execution()
        if execution is None or record.name.startswith(ENGINE):
            return
        try:
            text = text_of(record)
            if record.exc_info:
                text = f"{text}\n{hide(_traces.formatException(record.exc_info))}"
            execution.log(record.levelname.lower(), text)
        except Exception:  # noqa: BLE001 - a broken format argument must not break the job
            self.handleError(record)


def _is_true(record: logging.LogRecord) -> bool:
    """Not so the warning that a result has been discarded: the run's record keeps it."""
    return not (isinstance(record.msg, str) and "the value has been discarded" in record.msg)


def _has_ended(record: logging.LogRecord) -> bool:
    """Not so a message that is said to be skipped, and merely waits."""
    return not any(isinstance(each, Delivery) and each.moves for each in record.args or ())


def run_fields() -> dict[str, Any]:
    """What a log line says of the run that it belongs to."""
    execution = current_execution()
    if execution is None:
        return {}
    fields: dict[str, Any] = {"job": execution.job, "run": execution.run_id, "attempt": execution.attempt}
    due_at = execution.message.options.get("due_at")
    if due_at is not None:
        fields["slot"] = due_at
    return fields
