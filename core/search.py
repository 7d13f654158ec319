"""Searching runs in words: `state:failed job:sync args.coach_id:7 error:~timeout since:2h`.

    word   = name ":" value           several words must all hold
    name   = state | job | queue | trigger | error | args.NAME | since | until
    value  = text, or "text" in double quotes (\\" and \\\\ within them)

`state`, `job`, `queue` and `trigger` may have several values, `state:failed,dead`: one of them holds. `~`
before the value of `job` or `error` looks for it anywhere, in small or capital letters; without it the job
has that name, the error that type. Errors are those of runs that did not succeed, unless `state` names those
that did. `args.NAME` is an argument by its name, `args.filter.tenant` a part of it, `args.0` by its position.
`since` and `until` take a span (`2h`: so long ago) or a moment.
"""

import difflib
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from callboard.core.errors import BadInput
from callboard.core.limits import storable
from callboard.core.moments import read_moment, read_span
from callboard.core.plain import plain
from callboard.core.states import RunState

TRIGGERS: Final = ("schedule", "manual", "code", "sql")
NAMES: Final = ("state", "job", "queue", "trigger", "error", "args.NAME", "since", "until")
#: The longest search, in characters, and the most words in it.
MAX_LENGTH: Final = 2_000
MAX_WORDS: Final = 40

_WORD = re.compile(r"""([^\s:"]+):(~?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))(?=\s|$)""", re.DOTALL)
_PLAIN = re.compile(r"""[^\s",~\\][^\s",\\]*""")
_SPAN = re.compile(r"\d+(\.\d+)?(s|min|m|h|d|w)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument to look for: the way to it, and its value as JSON, or as text, either of which will do."""

    path: tuple[str, ...]
    #: JSON texts, one of which it must be, or contain.
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """What runs must be like: all that is given must hold, of several values of one name any.

    `errors` are texts within the error's type, its words or the reason; `error_types` whole types.
    """

    states: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    job_parts: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    error_types: tuple[str, ...] = ()
    arguments: tuple[Argument, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    def __str__(self) -> str:
        """The words that say the same."""
        words = [
            f"{name}:{','.join(map(_quoted, values))}"
            for name, values in (
                ("state", self.states),
                ("job", self.jobs),
                ("queue", self.queues),
                ("trigger", self.triggers),
            )
            for values in ([values] if all(map(_is_plain, values)) else [(each,) for each in values])
            if values
        ]
        words += [f"job:~{_quoted(each)}" for each in self.job_parts]
        words += [f"error:{_quoted(each)}" for each in self.error_types]
        words += [f"error:~{_quoted(each)}" for each in self.errors]
        words += [f"args.{'.'.join(each.path)}:{_argument_text(each)}" for each in self.arguments]
        words += [
            f"{name}:{at.isoformat()}" for name, at in (("since", self.since), ("until", self.until)) if at
        ]
        return " ".join(words)


def parse_search(text: str, now: datetime, tz: ZoneInfo | None = None) -> Search:
    """The search that the words describe; moments without a zone are of `tz`, or else UTC.

    Raises:
        BadInput: a word is no filter, or its value is none; the sentence says which, and what there is.
    """
    if len(text) > MAX_LENGTH:
        raise BadInput(f"The search has {len(text)} characters; the most is {MAX_LENGTH}.")
    zone = tz or ZoneInfo("UTC")
    found: dict[str, Any] = {}
    words = _words(text)
    if len(words) > MAX_WORDS:
        raise BadInput(f"The search has {len(words)} filters; the most is {MAX_WORDS}.")
    for name, anywhere, value, quoted in words:
        _take(found, name, anywhere, value, quoted, lambda text: _moment(text, zone, now))
    return Search(**found)


def argument(path: tuple[str, ...], value: Any) -> Argument:
    """An argument with a value of JSON.

    Raises:
        BadInput: JSON cannot say the value.
    """
    try:
        return Argument(path, (json.dumps(plain(value), ensure_ascii=False, allow_nan=False),))
    except (ValueError, RecursionError):
        name = ".".join(path)[:60]
        raise BadInput(f"The value of the argument {name} is none that JSON can say.") from None


def check_states(states: tuple[str, ...]) -> tuple[str, ...]:
    """The states, where all of them are some."""
    return _check("state", states, tuple(RunState))


def check_triggers(triggers: tuple[str, ...]) -> tuple[str, ...]:
    """What set runs off, where all of it may."""
    return _check("trigger", triggers, TRIGGERS)


def _words(text: str) -> list[tuple[str, bool, str, bool]]:
    found, at = [], 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        match = _WORD.match(text, at)
        if match is None:
            piece = text[at:].split()[0]
            if '"' in piece:
                raise BadInput(f'The quotes in {piece[:60]!r} do not close; write error:~"like this".')
            raise BadInput(
                f"{piece[:60]!r} is no filter; write one such as job:{piece[:30]} or error:~timeout."
            )
        name, anywhere, inside, bare = match.groups()
        value = re.sub(r"\\(.)", r"\1", inside, flags=re.DOTALL) if inside is not None else bare
        if not value:
            raise BadInput(f"The filter {name[:60]}: has no value; write one after the colon.")
        found.append((name, bool(anywhere), storable(value), inside is not None))
        at = match.end()
    return found


def _take(
    found: dict[str, Any],
    name: str,
    anywhere: bool,
    value: str,
    quoted: bool,
    moment: Callable[[str], datetime],
) -> None:
    def add(field: str, *values: Any) -> None:
        before = found.get(field, ())
        found[field] = before + tuple(each for each in values if each not in before)

    if anywhere and name not in ("job", "error"):
        raise BadInput(f"A ~ is for job and error only; write {name[:60]}:{value[:60]}.")
    if name in ("state", "job", "queue", "trigger"):
        values = (value,) if quoted or anywhere else tuple(each for each in value.split(",") if each)
        if not values:
            raise BadInput(f"The filter {name}: has no value; write one after the colon.")
        if name == "state":
            add("states", *check_states(values))
        elif name == "trigger":
            add("triggers", *check_triggers(values))
        else:
            add("job_parts" if anywhere else f"{name}s", *values)
    elif name == "error":
        add("errors" if anywhere else "error_types", value)
    elif name in ("since", "until"):
        if name in found:
            raise BadInput(f"The filter {name} is given twice; once is enough.")
        found[name] = moment(value)
    elif name.startswith("args."):
        path = tuple(storable(name).split(".")[1:])
        if not all(path):
            raise BadInput(f"The filter {name[:60]} names no argument; write one such as args.coach_id:7.")
        add("arguments", Argument(path, _values(value, quoted)))
    else:
        close = difflib.get_close_matches(name, [each.partition(".")[0] for each in NAMES], n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise BadInput(f"There is no filter {name[:60]!r}; the filters are {', '.join(NAMES)}.{hint}")


def _values(value: str, quoted: bool) -> tuple[str, ...]:
    """The JSON that the value may stand for: 7 is the number or the text, "7" the text only."""
    as_text = json.dumps(value, ensure_ascii=False)
    if quoted:
        return (as_text,)
    try:
        meant = json.loads(value, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return (as_text,)
    if isinstance(meant, dict | list | str) or (isinstance(meant, float) and not math.isfinite(meant)):
        return (as_text,)
    return (json.dumps(meant), as_text)


def _refuse(_constant: str) -> None:
    raise ValueError


def _moment(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    if _SPAN.fullmatch(text):
        return now.astimezone(UTC) - read_span(text)
    return read_moment(text, zone, now)


def _check(name: str, values: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if value not in known:
            raise BadInput(f"There is no {name} {value[:40]!r}; the {name}s are {', '.join(known)}.")
    return values


def _is_plain(value: str) -> bool:
    return _PLAIN.fullmatch(value) is not None


def _quoted(value: str) -> str:
    if _is_plain(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _argument_text(found: Argument) -> str:
    text = json.loads(found.values[-1])
    if len(found.values) > 1 and _is_plain(found.values[0]):
        return found.values[0]
    if not isinstance(text, str):
        return found.values[-1]
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"' if len(_values(text, quoted=False)) > 1 or not _is_plain(text) else text
