"""What failed of late, over all jobs."""

from datetime import timedelta

from callboard.control.context import Context
from callboard.control.reads.runs import MAX_HISTORY, Run, check_range
from callboard.core.clock import utcnow
from callboard.storage.queries import failures as queries


def failures(
    context: Context, *, hours: float = 24, limit: int = 50, job: str | None = None
) -> tuple[Run, ...]:
    """The runs that failed or died in the last hours, the latest first.

    Raises:
        BadInput: the limit is not 1 to 1000.
    """
    check_range("limit", limit, MAX_HISTORY)
    since = utcnow() - timedelta(hours=hours)
    with context.read() as connection:
        rows = queries.failures(connection, since=since, limit=limit, job=job)
    return tuple(Run(**{name: row[name] for name in Run.__slots__}) for row in rows)
