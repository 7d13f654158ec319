"""Locks that shut everybody else out.

While one is waited for, all others queue up behind, readers too. So it is waited for briefly, and tried
again.
"""

import psycopg
from sqlalchemy.exc import DBAPIError

#: The longest wait for such a lock, in ms.
LOCK_TIMEOUT_MS = 500

_BUSY = ("55P03", "40P01")


def is_busy(error: Exception) -> bool:
    """Whether a statement gave up because others held a lock."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(cause, psycopg.Error) and cause.sqlstate in _BUSY
