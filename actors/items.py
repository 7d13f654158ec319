"""Working through items: batch by batch, one bad item passed over, progress told."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError, StatementError

from callboard import current_run, progress
from callboard.actors.database import engine
from callboard.core.limits import MAX_ERROR, cut
from callboard.core.logging import get_logger
from callboard.storage.business.failures import add_failures, has_failures, resolve_failures

log = get_logger(__name__)

#: A row that is to be dealt with. It has an `id`; and an `error`, if it is known before that it cannot be.
Item = Any
Fetch = Callable[[Connection, Any, int], Sequence[Item]]
Handle = Callable[[Connection, Sequence[Item]], Mapping[str, int]]
Count = Callable[[Connection], int]

#: Items that have failed in an earlier run already and still count for nothing: they are no news.
KNOWN_BAD = 10

#: What is wrong with the database itself, and no item's fault.
_OUTAGE = (OperationalError, InterfaceError)


class MostFailed(Exception):
    """A run could not deal with most of its items."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Items that somebody else was asked for, and what is to be written in the transaction that has them."""

    items: Sequence[Item]
    then: Callable[[Connection], object] = lambda _connection: None


class Work:
    """What a run does with items, of one kind or of several.

    A batch that fails is undone and gone through again item by item: what fails then is recorded in
    `business.item_failures` as `<kind>:<id>` and passed over. A dry run does the same and undoes all of it.
    """

    def __init__(
        self, job: str, *, batch_size: int = 500, dry_run: bool = False, counts: Sequence[str] = ()
    ) -> None:
        """`counts` are names that `handle` counts by, which the result has in any case.

        Raises:
            ValueError: `batch_size` is less than 1.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; it must be at least 1.")
        self.batch_size, self.dry_run = batch_size, dry_run
        self._job = job
        self._tally: Counter[str] = Counter(dict.fromkeys(("processed", "failed", *counts), 0))
        self._known_bad = 0
        with engine().connect() as connection:
            self._has_failures = has_failures(connection, job)

    def through(
        self, kind: str, fetch: Fetch, handle: Handle, *, count: Count | None = None, what: str | None = None
    ) -> None:
        """Fetch and handle items, both in a transaction a batch, until there are no more.

        Args:
            fetch: `(connection, after, limit)`: the items after that id (None: from the start) in the order
                of their ids, locked with `FOR NO KEY UPDATE SKIP LOCKED`: no other job has them, and who only
                refers to them holds nobody up. It asks nobody but the database.
            handle: `(connection, items)`: does the work and returns what it has counted, by name.
            count: how many there will be, for the progress.
            what: the progress's words; by default `kind`.
        """
        before, total, after = self._done, _counted(count), None
        while True:
            with self._transaction() as connection:
                items = fetch(connection, after, self.batch_size)
                if not items:
                    return
                self._deal(connection, kind, items, handle)
            after = items[-1].id
            self._tell(before, total, what or kind)

    def through_batches(
        self,
        kind: str,
        batches: Iterable[Batch],
        handle: Handle,
        *,
        count: Count | None = None,
        what: str | None = None,
    ) -> None:
        """Handle items that come from elsewhere, a transaction a batch. None is open while the next is made.

        So nothing is locked while a service is asked, and `handle` looks whether what it writes still holds.
        """
        before, total = self._done, _counted(count)
        for batch in batches:
            with self._transaction() as connection:
                if batch.items:
                    self._deal(connection, kind, batch.items, handle)
                batch.then(connection)
            self._tell(before, total, what or kind)

    def rows(self, fetch: Fetch, *, most: int | None = None) -> Iterator[Sequence[Item]]:
        """What there is to ask a service about, up to `most` rows at a time: read, and not locked."""
        limit, after = min(self.batch_size, most or self.batch_size), None
        while True:
            with engine().connect() as connection:
                rows = fetch(connection, after, limit)
            if not rows:
                return
            yield rows
            after = rows[-1].id

    def outcome(self) -> dict[str, Any]:
        """`{"processed": ..., "failed": ..., <what was counted>}`; a dry run adds `"dry_run": True`.

        Raises:
            MostFailed: more items failed than did not. A few that an earlier run has failed at are left out
                of this account: whoever looks after the job knows of them.
        """
        processed, failed = self._tally["processed"], self._tally["failed"]
        if failed - min(self._known_bad, KNOWN_BAD) > processed:
            raise MostFailed(
                f"Most items failed: {failed} of {processed + failed};"
                " business.item_failures has each with its error."
            )
        return {**self._tally, "dry_run": True} if self.dry_run else dict(self._tally)

    @property
    def _done(self) -> int:
        return self._tally["processed"] + self._tally["failed"]

    def _tell(self, before: int, total: int | None, what: str) -> None:
        done = self._done - before
        progress(done, None if total is None else max(total, done), what)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with engine().connect() as connection, connection.begin() as transaction:
            yield connection
            if self.dry_run:
                transaction.rollback()

    def _deal(self, connection: Connection, kind: str, items: Sequence[Item], handle: Handle) -> None:
        errors = {item.id: item.error for item in items if getattr(item, "error", "")}
        if sound := [item for item in items if item.id not in errors]:
            errors |= self._handle(connection, sound, handle)
        done = [f"{kind}:{item.id}" for item in items if item.id not in errors]
        self._tally.update(processed=len(done), failed=len(items) - len(done))
        passed_over = {f"{kind}:{key}": error for key, error in errors.items()}
        for item, error in passed_over.items():
            log.warning("An item was passed over.", action="item_failed", item=item, error=error)
        self._known_bad += add_failures(connection, self._job, passed_over, run_id())
        if self._has_failures:
            resolve_failures(connection, self._job, done)

    def _handle(self, connection: Connection, items: Sequence[Item], handle: Handle) -> dict[Any, str]:
        """Handle a batch as one, or else item by item. Returns the errors of those that failed, by id."""
        try:
            with connection.begin_nested():
                counts = handle(connection, items)
        except _OUTAGE:
            raise
        except Exception as error:  # noqa: BLE001 - what is wrong with one item is no reason to leave the others
            if len(items) == 1:
                return {items[0].id: _in_words(error)}
            errors: dict[Any, str] = {}
            for item in items:
                errors |= self._handle(connection, [item], handle)
            return errors
        self._tally.update(counts)
        return {}


def work_through(
    job: str,
    kind: str,
    fetch: Fetch,
    handle: Handle,
    *,
    count: Count | None = None,
    batch_size: int = 500,
    dry_run: bool = False,
    what: str | None = None,
) -> dict[str, Any]:
    """A run over items of one kind, all from the database: `Work.through`, and its outcome."""
    work = Work(job, batch_size=batch_size, dry_run=dry_run)
    work.through(kind, fetch, handle, count=count, what=what)
    return work.outcome()


def run_id() -> UUID | None:
    """The present run's id; None outside of a worker."""
    run = current_run()
    return UUID(str(run.run_id)) if run is not None else None


def _counted(count: Count | None) -> int | None:
    if count is None:
        return None
    with engine().connect() as connection:
        return count(connection)


def _in_words(error: Exception) -> str:
    """What was wrong. Of a statement its values are left out: they may be a person's number, or words."""
    said, name = str(error), type(error).__name__
    if isinstance(error, StatementError):
        diagnosis = getattr(error.orig, "diag", None)
        said = getattr(diagnosis, "message_primary", None) or str(error.orig)
    return cut(f"{name}: {said}" if said else name, MAX_ERROR)
