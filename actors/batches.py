"""Removing what has outlived its use, batch by batch, with progress told."""

from typing import Any

import callboard
from callboard.actors.database import engine
from callboard.storage.housekeeping import Leftovers, count_leftovers, remove_leftovers


def remove_in_batches(*leftovers: Leftovers, batch_size: int, dry_run: bool) -> dict[str, Any]:
    """Remove the rows, each batch in a transaction of its own.

    Returns:
        `{"processed": rows removed, "failed": 0}`; a dry run removes none and adds how many it `found`.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it must be at least 1.")
    with engine().begin() as connection:
        total = sum(count_leftovers(connection, each) for each in leftovers)
    if dry_run:
        return {"processed": 0, "failed": 0, "found": total, "dry_run": True}
    done = 0
    for each in leftovers:
        removed = batch_size
        while removed == batch_size:
            with engine().begin() as connection:
                removed = remove_leftovers(connection, each, batch_size)
            done += removed
            callboard.progress(done, max(total, done), "rows removed")
    return {"processed": done, "failed": 0}
