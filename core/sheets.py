"""Tables as CSV (RFC 4180) that a spreadsheet shows and does not execute."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any, Final, cast, get_args, get_origin, get_type_hints

import orjson

#: With one of these a spreadsheet takes a text for a formula, or looks for one behind it.
COMMANDS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def sheet(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows under their header, lines ended by CR LF.

    Moments are written in ISO 8601, lists and objects as JSON, None as nothing. A text that a spreadsheet
    would take for a formula gets an apostrophe before it; numbers stay numbers.
    """
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([cell(value) for value in row] for row in rows)
    return written.getvalue()


def records(kind: type, rows: Iterable[Any]) -> str:
    """Dataclasses of one kind as a table: a column each field, `outer.inner` those of one within.

    A field that is such a dataclass or None has its columns either way.
    """
    columns = _columns(kind)
    return sheet(
        [".".join(path) for path in columns], ([_value(row, path) for path in columns] for row in rows)
    )


def _columns(kind: type) -> list[tuple[str, ...]]:
    hints = get_type_hints(kind)
    found: list[tuple[str, ...]] = []
    for field in fields(kind):
        hint = hints[field.name]
        within = next((each for each in (hint, *get_args(hint)) if is_dataclass(each)), None)
        if within is None or get_origin(hint) is tuple:
            found.append((field.name,))
        else:
            found += [(field.name, *path) for path in _columns(cast(type, within))]
    return found


def _value(row: Any, path: Sequence[str]) -> Any:
    for name in path:
        row = None if row is None else getattr(row, name)
    return row


def cell(value: Any) -> str | int | float:
    """A value as it stands in a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    text = _json(value) if isinstance(value, Mapping | list | tuple) else str(value)
    return f"'{text}" if text.startswith(COMMANDS) else text


def _json(value: Any) -> str:
    return orjson.dumps(dict(value) if isinstance(value, Mapping) else value, default=str).decode()
