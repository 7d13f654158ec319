"""What people are told of alerts: one message for several, in plain text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from callboard.core.display import many, span
from callboard.core.wording import one_line

What = Literal["opened", "reminder", "resolved"]

#: The most of an alert's own message that is sent, in characters.
LONGEST = 500
#: What chat services would take for a call to everybody.
_CALLS = re.compile(r"@(?=everyone|here|channel|room|all\b)|<(?=[!@#])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Word:
    """One thing to tell of one alert."""

    what: What
    kind: str
    subject: str
    severity: str
    message: str
    opened_at: datetime
    resolved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Telling:
    """A message: `tone` is that of the worst of what it tells."""

    title: str
    body: str
    tone: Literal["critical", "warning", "resolved"]


def compose(words: Sequence[Word], *, environment: str) -> Telling:
    """One message for all of them, at least one; in their order."""
    open_ones = [word for word in words if word.what != "resolved"]
    critical = any(word.severity == "critical" for word in open_ones)
    title = _title(words, open_ones, critical=critical)
    body = "\n\n".join(_lines(word) for word in words)
    tone: Literal["critical", "warning", "resolved"] = "resolved"
    if open_ones:
        tone = "critical" if critical else "warning"
    return Telling(f"Callboard ({harmless(environment, 63)}): {title}", body, tone)


def harmless(text: str, limit: int = LONGEST) -> str:
    """The text on one line, without what a chat service would take for a call to everybody."""
    return _CALLS.sub(lambda mark: f"{mark[0]}\u200b", one_line(text, limit))


def _title(words: Sequence[Word], open_ones: Sequence[Word], *, critical: bool) -> str:
    if len(words) == 1:
        word = words[0]
        state = {"opened": word.severity, "reminder": f"still {word.severity}", "resolved": "resolved"}
        return f"{state[word.what]}: {word.kind} {harmless(word.subject, 80)}"
    said = []
    if opened := sum(word.what == "opened" for word in words):
        said.append(f"{many(opened, 'alert')} opened")
    if reminded := len(open_ones) - opened:
        said.append(f"{many(reminded, 'alert')} still open")
    if resolved := len(words) - len(open_ones):
        said.append(f"{resolved} resolved")
    return ", ".join(said) + (", critical" if critical else "")


def _lines(word: Word) -> str:
    state = {"opened": word.severity.upper(), "reminder": f"STILL {word.severity.upper()}"}
    first = f"{state.get(word.what, 'RESOLVED')}: {word.kind} {harmless(word.subject, 200)}"
    since = f"since {word.opened_at:%d %b %H:%M} UTC"
    if word.resolved_at is not None:
        since += f", over after {span((word.resolved_at - word.opened_at).total_seconds() * 1000)}"
    return f"{first}\n{harmless(word.message)}\n{since}"
