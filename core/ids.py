"""Identifiers that follow from what they name, so that whoever computes one twice gets the same."""

import uuid
from datetime import datetime

from callboard.core.clock import to_ms

#: Never to be changed: a new value would let every slot of the last minutes fire once more.
SLOT_NAMESPACE = uuid.UUID("6f0c2f0e-9a43-5d0c-8a53-3b7a5f1c4e21")


def slot_run_id(schedule_id: int, due_at: datetime) -> uuid.UUID:
    """The id of the run, and of the message, that a schedule's slot leads to.

    Raises:
        BadInput: `due_at` has no time zone.
    """
    return uuid.uuid5(SLOT_NAMESPACE, f"{schedule_id}:{to_ms(due_at)}")
