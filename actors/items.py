"""Working through items: batch by batch, one bad item passed over, progress told."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError

from callboard import current_run, progress
from callboard.actors.database import engine
from callboard.core.logging import get_logger
from callboard.storage.business.failures import add_failures, has_failures, resolve_failures

log = get_logger(__name__)

#: A row that is to be dealt with; it has an `id`.
Item = Any
Fetch = Callable[[Connection, Any, int], Sequence[Item]]
Handle = Callable[[Connection, Sequence[Item]], Mapping[str, int]]

#: What is wrong with the database itself, and no item's fault.
_OUTAGE = (OperationalError, InterfaceError)


class MostFailed(Exception):
    """A run could not deal with most of its items."""


def work_through(
    job: str,
    kind: str,
    fetch: Fetch,
    handle: Handle,
    *,
    count: Callable[[Connection], int] | None = None,
    batch_size: int = 500,
    dry_run: bool = False,
    what: str | None = None,
) -> dict[str, Any]:
    """Fetch and handle items, a transaction a batch, until there are no more.

    A batch that fails is undone and gone through again item by item: what fails then is recorded in
    `business.item_failures` as `<kind>:<id>` and passed over. A dry run does the same and undoes all of it.

    Args:
        fetch: `(connection, after, limit)`: the items after that id (None: from the start) in the order of
            their ids, locked with `FOR UPDATE SKIP LOCKED`. It is asked until it has none.
        handle: `(connection, items)`: does the work and returns what it has counted, by name.
        count: how many there will be, for the progress.
        what: the progress's words; by default `kind`.

    Returns:
        `{"processed": ..., "failed": ..., <what `handle` has counted>}`; a dry run adds `"dry_run": True`.

    Raises:
        ValueError: `batch_size` is less than 1.
        MostFailed: more items failed than did not.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it must be at least 1.")
    tally: Counter[str] = Counter(processed=0, failed=0)
    with engine().connect() as connection:
        total = count(connection) if count is not None else None
        known = has_failures(connection, job)
    after: Any = None
    while True:
        with engine().connect() as connection, connection.begin() as transaction:
            items = fetch(connection, after, batch_size)
            if not items:
                break
            errors = _handle(connection, kind, items, handle, tally)
            _keep(connection, job, kind, items, errors, known=known)
            if dry_run:
                transaction.rollback()
        after = items[-1].id
        done = tally["processed"] + tally["failed"]
        progress(done, None if total is None else max(total, done), what or kind)
    return outcome(tally, dry_run=dry_run)


def outcome(tally: Mapping[str, int], *, dry_run: bool = False) -> dict[str, Any]:
    """A job's result, from what it has counted.

    Raises:
        MostFailed: more failed than was processed.
    """
    if tally["failed"] > tally["processed"]:
        raise MostFailed(
            f"Most items failed: {tally['failed']} of {tally['processed'] + tally['failed']};"
            " business.item_failures has each with its error."
        )
    return {**tally, "dry_run": True} if dry_run else dict(tally)


def run_id() -> UUID | None:
    """The present run's id; None outside of a worker."""
    run = current_run()
    return UUID(str(run.run_id)) if run is not None else None


def _handle(
    connection: Connection, kind: str, items: Sequence[Item], handle: Handle, tally: Counter[str]
) -> dict[str, str]:
    """Handle a batch as one, or else item by item. Returns the errors of those that failed, by id."""
    try:
        with connection.begin_nested():
            counted = handle(connection, items)
    except _OUTAGE:
        raise
    except Exception as error:  # noqa: BLE001 - what is wrong with one item is no reason to leave the others
        if len(items) == 1:
            (item,) = items
            log.warning(
                "An item was passed over.", action="item_failed", item=f"{kind}:{item.id}", error=str(error)
            )
            tally["failed"] += 1
            return {item.id: f"{type(error).__name__}: {error}"}
        errors: dict[str, str] = {}
        for item in items:
            errors |= _handle(connection, kind, [item], handle, tally)
        return errors
    tally["processed"] += len(items)
    tally.update(counted)
    return {}


def _keep(
    connection: Connection,
    job: str,
    kind: str,
    items: Sequence[Item],
    errors: Mapping[Any, str],
    *,
    known: bool,
) -> None:
    add_failures(connection, job, {f"{kind}:{key}": error for key, error in errors.items()}, run_id())
    if known:
        resolve_failures(connection, job, [f"{kind}:{item.id}" for item in items if item.id not in errors])
