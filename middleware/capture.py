"""Keeps the log lines that an actor writes with the run that wrote them."""

import logging
from typing import Any

from callboard.middleware.execution import current_execution

#: Loggers that speak of the engine, not of the job.
ENGINE = ("dramatiq.", "callboard.middleware", "callboard.worker", "redis", "asyncio")


class Capture(logging.Handler):
    """A handler of the root logger. Lines from outside of a run pass it by."""

    def install(self) -> None:
        """Begin to capture."""
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
            execution.log(record.levelname.lower(), _text(record))
        except Exception:  # noqa: BLE001 - a broken format argument must not break the job
            self.handleError(record)


_formatter = logging.Formatter()


def _text(record: logging.LogRecord) -> str:
    if isinstance(record.msg, dict):
        return _event(record.msg)
    text = record.getMessage()
    if record.exc_info:
        text = f"{text}\n{_formatter.formatException(record.exc_info)}"
    return text


def _event(fields: dict[str, Any]) -> str:
    """A structlog event: its message, then its fields but for those that are columns of their own."""
    shown = {key: value for key, value in fields.items() if not key.startswith("_") and key not in _COLUMNS}
    values = " ".join(f"{key}={value!r}" if isinstance(value, str) else f"{key}={value}" for key, value in shown.items())
    return f"{fields.get('event', '')} {values}".strip()


_COLUMNS = {"event", "level", "timestamp", "logger", "logger_name", "job", "run", "run_id", "attempt", "slot"}
