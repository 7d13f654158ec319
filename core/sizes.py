"""Amounts of memory, as people write them."""

import re
from typing import Final

from callboard.core.display import DASH
from callboard.core.errors import BadInput

_SIZE: Final = re.compile(r"(?P<number>\d+(\.\d+)?) ?(?P<unit>[KMGT]?)(i?B)?", re.IGNORECASE)
_POWERS: Final = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def parse_size(size: object) -> int:
    """Bytes: a whole number, or a text like "512MB", "1.5 GiB" or "64k". A KB is 1,024 bytes.

    Raises:
        BadInput: it is neither.
    """
    if isinstance(size, int) and not isinstance(size, bool):
        return size
    match = _SIZE.fullmatch(size.strip()) if isinstance(size, str) else None
    if match is None:
        raise BadInput(f"{size!r:.80} is no amount of memory; use bytes, or a text like '512MB'.")
    return int(float(match["number"]) * 1024 ** _POWERS[match["unit"].upper()])


def size_word(size: float | None) -> str:
    """Bytes as people read them: `512 MB`, `1.4 GB`; a dash where they are not known."""
    if size is None:
        return DASH
    for unit, power in (("GB", 3), ("MB", 2), ("KB", 1)):
        if size >= 1024**power:
            return f"{size / 1024**power:.{int(unit == 'GB')}f} {unit}"
    return f"{size:.0f} B"
