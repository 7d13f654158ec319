"""The external service's records, kept up with."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import dramatiq
from sqlalchemy import Connection

from callboard import cron
from callboard.actors.database import engine
from callboard.actors.items import Batch, Item, MostFailed, Work
from callboard.actors.providers.external import PAGE, External
from callboard.core.backoff import fixed
from callboard.core.clock import utcnow
from callboard.storage.business.cursors import move_cursor, read_cursor
from callboard.storage.business.external_sync import store_records

NAME = "sync-external-data"
CURSOR = "external_records"
#: From when on changes are fetched, where none have been yet.
HISTORY = timedelta(days=30)


@dramatiq.actor(
    actor_name=NAME,
    description="Fetch what has changed at the external service since the last time",
    category="sync",
    periodic=cron("0 */6 * * *"),
    time_limit=300_000,
    max_retries=3,
    backoff=fixed(30_000),
    breaker="external",
    throws=(MostFailed,),
    mutex=True,
)
def sync_external_data(batch_size: int = PAGE, dry_run: bool = False) -> dict[str, Any]:
    """Store the records that have changed since the last time, page by page; mark those that were deleted.

    Where it goes on is kept with each page, in the transaction that stores the page.
    """
    work = Work(NAME, batch_size=batch_size, dry_run=dry_run, counts=("stored", "deleted"))

    def store(connection: Connection, items: Sequence[Item]) -> Mapping[str, int]:
        stored, deleted = store_records(connection, [item.row() for item in items])
        return {"stored": stored, "deleted": deleted}

    work.through_batches("records", _pages(work), store)
    return work.outcome()


def _pages(work: Work) -> Iterator[Batch]:
    """What has changed from the cursor on, which moves with each page."""
    with engine().connect() as connection:
        cursor = read_cursor(connection, CURSOR)
    for page in External().changes(cursor=cursor, since=utcnow() - HISTORY, limit=min(work.batch_size, PAGE)):
        yield Batch(page.records, partial(move_cursor, name=CURSOR, cursor=page.cursor))
