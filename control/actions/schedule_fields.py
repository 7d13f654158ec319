"""What a schedule may say: each field checked, as it comes from outside, before anything is written."""

import re
from collections.abc import Mapping
from typing import Any, Final

from callboard.control.actions.arguments import check_arguments
from callboard.control.reads.schedules import FIELDS
from callboard.core.cron import cron
from callboard.core.errors import BadInput
from callboard.scheduler.misfire import MOST_LATE
from callboard.storage.queries import Row

MISFIRES: Final = ("skip", "run_once", "run_all")
#: A slot may be on time for at most so long after it: a week.
MAX_GRACE_MS: Final = 7 * 86_400_000
#: What a schedule says where nobody says otherwise.
DEFAULTS: Final[Mapping[str, Any]] = {
    "tz": "UTC",
    "args": [],
    "kwargs": {},
    "misfire": "run_once",
    "misfire_limit": 100,
    "grace_ms": 60_000,
}

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


def checked_key(key: str) -> str:
    """The name of a schedule within its job.

    Raises:
        BadInput: it has other characters than names have, or too many.
    """
    if not _KEY.fullmatch(key):
        raise BadInput(
            f"A schedule cannot be named {key[:80]!r}; use up to 63 letters, digits, dots, dashes and _."
        )
    return key


def checked_fields(job: str, switch: Row | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a schedule of the job: as they are written down, the expression and zone together.

    Parameters:
        switch: the job's, with its signature; None where no running code declares the job.
        given: all of a schedule's fields, the arguments only where they are to be checked.

    Raises:
        BadInput: a field is unknown or wrong, or the job does not take the arguments.
    """
    unknown = sorted(given.keys() - set(FIELDS))
    if unknown:
        raise BadInput(f"A schedule has no field {unknown[0][:40]!r}; it has {', '.join(FIELDS)}.")
    found = dict(given)
    schedule = cron(given["expr"], given["tz"])
    found["expr"], found["tz"] = schedule.expr, schedule.tz
    if given["misfire"] not in MISFIRES:
        raise BadInput(f"There is no policy {str(given['misfire'])[:40]!r}; there are {', '.join(MISFIRES)}.")
    _check_whole("misfire_limit", given["misfire_limit"], MOST_LATE)
    _check_whole("grace_ms", given["grace_ms"], MAX_GRACE_MS)
    if not isinstance(given["args"], list) or not isinstance(given["kwargs"], dict):
        raise BadInput("The arguments are a list, and those by name an object.")
    if switch is not None:
        check_arguments(job, switch["signature"], given["args"], given["kwargs"])
    return found


def _check_whole(name: str, value: Any, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise BadInput(f"The {name} is a whole number from 0 to {most}, not {str(value)[:40]}.")
