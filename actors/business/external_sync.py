"""The external service's records, kept up with."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import dramatiq
from sqlalchemy import Connection

from callboard import cron
from callboard.actors.database import engine
from callboard.actors.items import Item, MostFailed, work_through
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
    mutex=True,
)
def sync_external_data(batch_size: int = PAGE, dry_run: bool = False) -> dict[str, Any]:
    """Store the records that have changed since the last time, page by page; mark those that were deleted.

    Where it goes on is kept with each page, in the transaction that stores the page.
    """
    service = External()
    with engine().connect() as connection:
        cursor = read_cursor(connection, CURSOR)
    more = True

    def fetch(connection: Connection, _after: str | None, limit: int) -> Sequence[Item]:
        nonlocal cursor, more
        if not more:
            return []
        page = service.changes(cursor=cursor, since=utcnow() - HISTORY, limit=limit)
        cursor, more = page.cursor, page.has_more
        wrong = [record.error for record in page.records if record.error]
        if len(wrong) > len(page.records) / 2:
            raise MostFailed(f"Most of a page of {len(page.records)} records makes no sense. {wrong[0]}")
        if page.records and not dry_run:
            move_cursor(connection, CURSOR, page.cursor)
        return page.records

    def handle(connection: Connection, items: Sequence[Item]) -> Mapping[str, int]:
        stored, deleted = store_records(connection, [item.row() for item in items])
        return {"stored": stored, "deleted": deleted}

    return work_through(NAME, "records", fetch, handle, batch_size=min(batch_size, PAGE), dry_run=dry_run)
