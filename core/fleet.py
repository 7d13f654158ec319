"""How the processes of a fleet stand, judged by what each last said and when."""

import re
from collections.abc import Iterable
from typing import Final, Literal

#: `silent`: it should have been heard of by now; `dead`: what it held goes to others.
Life = Literal["alive", "silent", "dead"]

#: Seconds of silence that are nothing out of the ordinary: two signs of life that are five seconds apart.
ORDINARY_S: Final = 10.0


def life_of(silence_s: float, dead_s: float) -> Life:
    """How a process stands that was last heard of `silence_s` ago, where one is dead after `dead_s`."""
    if silence_s >= dead_s:
        return "dead"
    return "silent" if silence_s > ORDINARY_S else "alive"


def newest(versions: Iterable[str | None]) -> str | None:
    """The newest of some versions, by the numbers in them; None where there is none."""
    return max((version for version in versions if version), key=_order, default=None)


def is_older(version: str | None, than: str | None) -> bool:
    """Whether a version is older than another; one that is not known is not."""
    return version is not None and than is not None and _order(version) < _order(than)


def _order(version: str) -> tuple[tuple[int, ...], bool, str]:
    """Versions in their order: by the leading numbers, and of equal ones a release after what led to it."""
    leading = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(number) for number in leading[0].split(".")] if leading else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    rest = version[leading.end() :] if leading else version
    return tuple(numbers), not re.match(r"[-._]?(?:a|b|c|rc|dev|alpha|beta|pre)", rest), rest
