"""Where commands write: results on standard output, everything else on standard error."""

import os
import sys
from collections.abc import Iterable
from typing import Any

import orjson
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.theme import Theme

from callboard.core.display import printable

#: Columns of output that goes to a file or a pipe, where nothing should be cut or folded.
PIPE_COLUMNS = 400

_THEME = Theme(
    {"good": "green", "warn": "yellow", "bad": "red", "quiet": "dim", "name": "bold", "link": "cyan"}
)


class Plain(Console):
    """A console on which text is text: what a job or a user wrote commands no terminal."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(printable(segment.text), segment.style)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    # Asked rather than left to rich, which would fold what is piped at 80 columns.
    width = None if stream.isatty() or os.environ.get("COLUMNS") else PIPE_COLUMNS
    # Names, notes and errors come from elsewhere: brackets in them are brackets.
    return Plain(stderr=stderr, theme=_THEME, highlight=False, width=width, emoji=False, markup=False)


out = _console(stderr=False)
err = _console(stderr=True)


def print_json(value: Any) -> None:
    """Write a value as JSON: dataclasses, UUIDs and times included."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z
    sys.stdout.write(orjson.dumps(value, default=_default, option=options).decode() + "\n")


def _default(value: Any) -> Any:
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    return str(value)
