"""A part's log line on a terminal: time, part, what happened, and the fields that matter, on one line."""

import json
from datetime import datetime
from typing import Any

from rich.text import Text

#: Each part in its own colour, so that the eye can follow one.
COLOURS = {
    "worker": "green",
    "scheduler": "magenta",
    "recorder": "blue",
    "api": "cyan",
    "panel": "yellow",
    "sandbox": "bright_black",
}
LEVELS = {"warning": "yellow", "error": "red", "critical": "bold red"}
#: Said already by the rest of the line, or of use to machines only.
SILENT = frozenset({"timestamp", "level", "event", "part", "logger", "action", "exception", "color_message"})
#: Libraries whose everyday lines say nothing that a part does not say itself.
CHATTY = ("dramatiq", "uvicorn")
#: Characters of a field's value.
LONG = 120


def render(part: str, line: str) -> Text:
    """The line to show; one that is not of our formatter is shown as it is."""
    try:
        fields = json.loads(line)
    except ValueError:
        fields = None
    if not isinstance(fields, dict) or "event" not in fields:
        return _line(_now(), part, Text(line))
    level = str(fields.get("level", "info"))
    said = Text(str(fields["event"]).rstrip("."), style=LEVELS.get(level, ""))
    for name, value in fields.items():
        if name not in SILENT and value not in (None, "", [], {}):
            said.append(f"  {name}=", style="dim").append(_short(value), style="dim")
    if fields.get("exception"):
        said.append("  ").append(str(fields["exception"]).strip().splitlines()[-1], style="red")
    return _line(_clock(fields.get("timestamp")), part, said)


def matters(line: str) -> bool:
    """Whether a line is worth a person's eye; in the log it stands in any case."""
    try:
        fields = json.loads(line)
        everyday = fields["level"] in ("debug", "info") and not fields.get("run")
        return not (everyday and str(fields["logger"]).partition(".")[0] in CHATTY)
    except (ValueError, KeyError, TypeError, AttributeError):
        return True


def _line(clock: str, part: str, said: Text) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{clock} ", style="dim").append(f"{part:<10}", style=COLOURS.get(part, "bold"))
    return text.append_text(said)


def _clock(timestamp: Any) -> str:
    try:
        return datetime.fromisoformat(str(timestamp)).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return _now()


def _now() -> str:
    return datetime.now().astimezone().strftime("%H:%M:%S")


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= LONG else f"{text[: LONG - 1]}…"
