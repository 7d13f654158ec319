"""Partitions in time: runs, attempts, log lines and occurrences lie in weekly ones.

A row whose week has no partition goes to the default one and is moved when its partition is made, so
that a late call loses nothing; it only takes longer.
"""

import time
from datetime import datetime, timedelta

from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from callboard.core.clock import utcnow

#: How far back and ahead there are always partitions.
BACK = timedelta(weeks=1)
AHEAD = timedelta(weeks=4)

#: A partition is attached under a short lock on the default one. While it is waited for, others queue up
#: behind, so it is not waited for long, but tried again.
LOCK_TIMEOUT_MS = 2000
TRIES = 5


def ensure_partitions(engine: Engine, *, start: datetime | None = None, end: datetime | None = None) -> int:
    """Make the partitions that are missing for every week that the window touches; returns how many.

    Cheap where there are none to make: call it at every start and once an hour. Any number of processes
    may call it at once.
    """
    now = utcnow()
    window = {"start": start or now - BACK, "end": end or now + AHEAD}
    for attempt in range(1, TRIES + 1):
        try:
            with engine.begin() as connection:
                connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}"))
                made = connection.scalar(text("SELECT callboard.ensure_partitions(:start, :end)"), window)
                return int(made or 0)
        except OperationalError as error:
            if attempt == TRIES or not is_lock_timeout(error):
                raise
            time.sleep(attempt)
    raise AssertionError


def is_lock_timeout(error: OperationalError) -> bool:
    """Whether a statement gave up because a lock was held by others."""
    return getattr(error.orig, "sqlstate", None) in ("55P03", "40P01")
