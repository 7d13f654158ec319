"""Partitions in time: runs, attempts, log lines and occurrences lie in weekly ones.

A row whose week has no partition goes to the default one and is moved when its partition is made, so
that a late call loses nothing; it only takes longer.
"""

from datetime import datetime, timedelta
from typing import Any

import psycopg

from callboard.core.clock import utcnow
from callboard.storage.locks import LOCK_TIMEOUT_MS, is_busy

#: How far back and ahead there are always partitions.
BACK = timedelta(weeks=1)
AHEAD = timedelta(weeks=4)


def ensure_partitions(
    connection: psycopg.Connection[Any], *, start: datetime | None = None, end: datetime | None = None
) -> int | None:
    """Make the partitions that are missing for every week that the window touches, in one transaction.

    Cheap where there are none to make: call it at every start and once an hour. Any number of processes
    may call it at once.

    Returns:
        How many were made; None where others held on for too long: then none was, and it is called again.
    """
    now = utcnow()
    try:
        with connection.transaction():
            connection.execute("SELECT set_config('lock_timeout', %s, true)", (str(LOCK_TIMEOUT_MS),))
            row = connection.execute(
                "SELECT callboard.ensure_partitions(%s, %s)", (start or now - BACK, end or now + AHEAD)
            ).fetchone()
    except psycopg.OperationalError as error:
        if not is_busy(error):
            raise
        return None
    return row[0] if row else 0
