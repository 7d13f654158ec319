"""Reading a cron expression: a strict door before the library, and one sentence for whatever it turns away.

cronsim gives the fields their meaning (`L`, `LW`, `5L`, `mon#2`, day of month *or* day of week). It is
asked only after every term has passed the grammar and the bounds below, so nothing is expanded that could be
large, and the reason for a refusal names the field.
"""

import re
from datetime import datetime
from typing import NamedTuple

from cronsim import CronSim, CronSimError

from callboard.core.errors import BadSchedule

MAX_LENGTH = 512

ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


class Field(NamedTuple):
    """One field of an expression: what it is called, its bounds, and the names its values may have."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

SECOND = Field("second", 0, 59)
FIELDS = (
    SECOND,
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of month", 1, 31),
    Field("month", 1, 12, _MONTHS),
    Field("day of week", 0, 7, _DAYS),
)
DAY_OF_MONTH, DAY_OF_WEEK = FIELDS[3], FIELDS[5]

_TERM = re.compile(
    r"(?P<star>\*)(?:/(?P<star_step>[0-9]+))?"
    r"|(?P<first>[0-9]+|[A-Z]{3})(?:-(?P<last>[0-9]+|[A-Z]{3}))?(?:/(?P<step>[0-9]+))?"
    r"|(?P<day>[0-9]+|[A-Z]{3})(?:#(?P<nth>[0-9]+)|(?P<final>L))"
    r"|(?P<end>LW?)",
    re.ASCII,
)


class Expression(NamedTuple):
    """An expression that passed the door: its text, and the library's reading of it in six fields."""

    text: str
    fields: tuple[str, ...]
    sim: CronSim


def read(text: str) -> Expression:
    """Read an expression of five fields, of six with the second first, or an alias such as `@daily`.

    Raises:
        BadSchedule: one sentence that names the field and what is wrong with it.
    """
    _check_text(text)
    normal = " ".join(text.split())
    if normal.startswith("@"):
        normal = normal.lower()
        if normal not in ALIASES:
            raise BadSchedule(
                f"The schedule {_quoted(normal)} is unknown; write one of {', '.join(ALIASES)}."
            )
    parts = ALIASES.get(normal, normal).split()
    if len(parts) == 5:
        parts.insert(0, "0")
    if len(parts) != 6:
        count = f"{len(normal.split()) or 'no'} field{'' if len(parts) == 1 else 's'}"
        raise BadSchedule(
            f"The schedule {_quoted(normal)} has {count}; write five (minute, hour, day of month, month,"
            " day of week), or six with the second first."
        )
    fields = tuple(_checked(part, field) for part, field in zip(parts, FIELDS, strict=True))
    try:
        sim = CronSim(" ".join(fields), datetime(2000, 1, 1))  # noqa: DTZ001 - readings of a clock have no zone
    except CronSimError as error:
        what = str(error).removeprefix("Bad ").replace("-", " ")
        raise BadSchedule(
            f"The schedule {_quoted(normal)} can never fire: its months have no such {what}."
        ) from None
    return Expression(normal, fields, sim)


def _check_text(text: str) -> None:
    beginning = text[:MAX_LENGTH]
    for place, char in enumerate(beginning):
        if not (" " < char <= "~" or char in " \t\r\n"):
            name = _field_at(beginning[:place])
            raise BadSchedule(f"The {name} field of the schedule holds {char!a}, which no cron field may.")
    if len(text) > MAX_LENGTH:
        raise BadSchedule(
            f"The schedule has {len(text)} characters, its {_field_at(beginning)} field going on too long;"
            f" write at most {MAX_LENGTH}."
        )


def _field_at(before: str) -> str:
    """The name of the field that the text breaks off in, where its first field is taken for the minute."""
    begun = len(f"{before}x".split())
    return FIELDS[min(begun, 5)].name


def _checked(part: str, field: Field) -> str:
    return ",".join(_term(term, field) for term in part.split(","))


def _term(term: str, field: Field) -> str:
    """One term of a list, checked, and with names as numbers."""
    match = _TERM.fullmatch(term.upper())
    if match is None:
        hint = f"write values from {field.low} to {field.high}, ranges, lists, steps or *"
        raise _wrong(term, field, f"is not understood; {hint}")
    part = match.groupdict()
    if part["end"]:
        if field is not DAY_OF_MONTH:
            hint = "; for the last Friday write 5L" if field is DAY_OF_WEEK else ""
            raise _wrong(term, field, f"has its meaning in the day of month only{hint}")
        return match[0]
    if part["day"]:
        if field is not DAY_OF_WEEK:
            raise _wrong(term, field, "has its meaning in the day of week only")
        day = _value(part["day"], term, field)
        if part["final"]:
            return f"{day}L"
        if not 1 <= _int(part["nth"]) <= 5:
            raise _wrong(term, field, "names no week of the month; write #1 to #5")
        return f"{day}#{part['nth']}"
    step = part["star_step"] or part["step"]
    size = field.high - field.low + 1
    if step and not 1 <= _int(step) <= size:
        raise _wrong(term, field, f"has a step outside 1 to {size}")
    if part["star"]:
        return match[0]
    values = _range(part["first"], part["last"], term, field)
    return f"{values}/{step}" if step else values


def _range(first: str, last: str | None, term: str, field: Field) -> str:
    low = _value(first, term, field)
    if last is None:
        return str(low)
    high = _value(last, term, field)
    # As a name, Sunday is the first day of the week in sun-tue and the last in sat-sun.
    if field is DAY_OF_WEEK and last == "SUN" and low > 0:
        high = 7
    if high < low:
        raise _wrong(term, field, "runs backwards; write the lower value first, or two ranges")
    return f"{low}-{high}"


def _value(text: str, term: str, field: Field) -> int:
    if text.isdigit():
        value = _int(text)
        if not field.low <= value <= field.high:
            raise _wrong(term, field, f"is out of bounds; values go from {field.low} to {field.high}")
        return value
    if text not in field.names:
        raise _wrong(term, field, f"holds {text.lower()}, which is no name there")
    return field.names.index(text) + field.low


def _int(digits: str) -> int:
    return int(digits) if len(digits) < 5 else 99_999


def _wrong(term: str, field: Field, what: str) -> BadSchedule:
    return BadSchedule(f"The {field.name} field of the schedule is wrong: {_quoted(term)} {what}.")


def _quoted(text: str) -> str:
    return f"'{text}'" if len(text) <= 40 else f"'{text[:37]}...'"
