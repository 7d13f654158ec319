"""Amounts of memory, as people write them."""

import re
from typing import Final

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
