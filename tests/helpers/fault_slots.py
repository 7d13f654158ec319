"""The slot that a message stands for, whoever has scheduled it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def slot_of(options: Mapping[str, Any]) -> int:
    """In s since the epoch; 0 where it stands for none."""
    if "due_at" in options:
        return int(options["due_at"]) // 1000
    if "scheduled_at" in options:
        return int(datetime.fromisoformat(options["scheduled_at"]).timestamp())
    return 0
