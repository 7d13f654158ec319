"""Logs: one line an event, on standard error. JSON, or compact lines for a person who reads on a terminal.

The standard library's records and structlog's go through the same formatter. Whatever is known of the run
that a line belongs to is added to it (see `add_context`), and secrets are taken out of it at the very end,
so that no traceback, address or third-party library can show one.

Code within Callboard takes its logger from `get_logger`, which works with and without `configure_logging`:
in an application that sets up logging in its own way, records arrive there as plain standard ones.
"""

import json
import logging
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from callboard.core.hiding import hide, hide_fields, hide_settings
from callboard.core.settings import Settings

Context = Callable[[], Mapping[str, Any]]

#: Libraries that talk too much below WARNING.
TALKATIVE = ("httpcore", "httpx", "sqlalchemy", "urllib3", "watchdog")

_FIELDS = "callboard_fields"
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", _FIELDS}

_contexts: list[Context] = []


def configure_logging(
    part: str,
    settings: Settings | None = None,
    *,
    level: str | None = None,
    as_json: bool | None = None,
    stream: TextIO | None = None,
) -> None:
    """Send everything that this process logs to `stream` (standard error), replacing what was set up before.

    Parameters:
        part: which process this is (`worker`, `scheduler` ...); stands in each line.
        settings: their secrets are never shown, and they say the level unless `level` does.
        level: the least level that is written, by name.
        as_json: JSON lines, or lines for a person; unless given, a terminal gets the latter.
        stream: where to write.
    """
    if settings is not None:
        hide_settings(settings)
        level = level or settings.callboard_log_level
    stream = sys.stderr if stream is None else stream
    terminal = stream.isatty()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        make_formatter(part, as_json=not terminal if as_json is None else as_json, colours=terminal)
    )
    logging.basicConfig(handlers=[handler], level=(level or "INFO").upper(), force=True)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    logging.captureWarnings(True)
    structlog.configure(
        processors=_PROCESSORS,
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger that takes fields by keyword: `log.info("Slot fired.", action="slot_fired", job=job)`."""
    logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=_PROCESSORS,
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return logger


def add_context(context: Context) -> None:
    """Have the fields that `context()` returns added to each line. It is called in the thread that logs."""
    if context not in _contexts:
        _contexts.append(context)


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """The fields that a record carries besides its text, whichever way they were given; secrets hidden."""
    fields: dict[str, Any] = {key: value for key, value in vars(record).items() if key not in _STANDARD}
    fields.update(getattr(record, _FIELDS, {}))
    return hide_fields(fields)


def text_of(record: logging.LogRecord) -> str:
    """The record as a person reads it: its text, its fields, its exception's own words; secrets hidden."""
    words = [record.getMessage(), *(f"{key}={value}" for key, value in fields_of(record).items())]
    if record.exc_info and record.exc_info[0] is not None:
        words.append(f"{record.exc_info[0].__name__}: {record.exc_info[1]}")
    return hide(" ".join(words))


def make_formatter(part: str, *, as_json: bool, colours: bool = False) -> logging.Formatter:
    """The formatter of Callboard's logs, for an application that has handlers of its own."""
    processors: list[Processor] = [
        _describe(part),
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
    ]
    if as_json:
        processors += [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_dumps),
        ]
    else:
        plain = structlog.dev.plain_traceback
        processors += [
            structlog.dev.ConsoleRenderer(
                pad_event_to=0, sort_keys=False, exception_formatter=plain, colors=colours
            )
        ]
    return _Formatter(processors=processors)


class _Formatter(structlog.stdlib.ProcessorFormatter):
    def format(self, record: logging.LogRecord) -> str:
        return hide(super().format(record))


def _describe(part: str) -> Processor:
    def describe(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        record: logging.LogRecord = event["_record"]
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        described: EventDict = {
            "timestamp": at.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "event": event.pop("event"),
            "part": part,
            "logger": record.name,
        }
        for context in _contexts:
            described.update(context())
        described.update(fields_of(record))
        described.update(event)
        return described

    return describe


def _to_record(
    _logger: WrappedLogger, _method: str, event: EventDict
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Hand an event over to the standard library.

    Its fields go under one name: a field called `name`, say, would collide with a record's own.
    """
    options = {key: event.pop(key) for key in ("exc_info", "stack_info", "stacklevel") if key in event}
    text = str(event.pop("event", ""))
    positional = event.pop("positional_args", ())
    return (text, *positional), {**options, "extra": {_FIELDS: dict(event)}}


_PROCESSORS: list[Processor] = [
    structlog.stdlib.filter_by_level,
    structlog.contextvars.merge_contextvars,
    _to_record,
]


def _dumps(event: EventDict, **_options: Any) -> str:
    try:
        return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except (TypeError, ValueError):
        return json.dumps(event, default=str, skipkeys=True)


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        logging.getLogger("callboard").critical("Uncaught exception.", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(arguments: threading.ExceptHookArgs) -> None:
    error = arguments.exc_value
    if error is None or isinstance(error, SystemExit):
        return
    name = arguments.thread.name if arguments.thread is not None else "a thread"
    logging.getLogger("callboard").critical("Uncaught exception in %s.", name, exc_info=error)
