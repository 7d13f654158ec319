"""How many failed logins are borne, counted in the audit trail so that it holds across processes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from typing import Final

from sqlalchemy import Connection

from callboard.control.attempts import TooManyAttempts
from callboard.storage.queries import audit as queries

#: Failures are counted over this many seconds.
WINDOW_S: Final = 300
#: This many by one name from one address, by one name from anywhere, and from one address by any name.
OF_BOTH: Final = 5
OF_NAME: Final = 30
OF_ADDRESS: Final = 30
#: The reason noted for an attempt that was not even looked at. It does not count as another failure.
THROTTLED: Final = "throttled"


#: A login takes a connection and 64 MiB for a while: so many at a time in a process, others wait so long.
AT_A_TIME: Final = 2
PATIENCE_S: Final = 10

_turns = threading.BoundedSemaphore(AT_A_TIME)


class TooManyLogins(TooManyAttempts):
    """Too many logins failed of late; `retry_after_s` says when to come back."""

    what = "logins have failed"


def check(connection: Connection, *, target: str, address: str | None) -> None:
    """Raise TooManyLogins where enough have failed; others of that name or address wait for this one.

    The locks are taken in one order by all: first the name's, then the address's.
    """
    queries.lock(connection, f"callboard:log_in:name:{target}")
    queries.lock(connection, f"callboard:log_in:address:{address}")
    row = queries.failed_logins(
        connection, target=target, address=address, window_s=WINDOW_S, throttled=THROTTLED
    )
    if row["of_both"] >= OF_BOTH or row["of_name"] >= OF_NAME or row["of_address"] >= OF_ADDRESS:
        age_s = (row["now"] - row["first_at"]).total_seconds()
        raise TooManyLogins(max(1, ceil(WINDOW_S - age_s)))


def noted(connection: Connection, *, target: str, address: str | None) -> bool:
    """Whether a throttled attempt was noted in the last minute: a flood of them shall not flood the trail."""
    return queries.throttled_lately(connection, target=target, address=address, throttled=THROTTLED)


@contextmanager
def turn() -> Iterator[None]:
    """Wait for a turn to log somebody in; TooManyLogins where too many are before."""
    if not _turns.acquire(timeout=PATIENCE_S):
        raise TooManyLogins(PATIENCE_S)
    try:
        yield
    finally:
        _turns.release()
