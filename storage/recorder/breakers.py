"""Writes the changes of circuit breakers, and the alerts that stand for open ones."""

from collections.abc import Sequence
from typing import Any

import psycopg

from callboard.storage.breakers import KIND, open_sentence

_CHANGE = """
INSERT INTO callboard.breaker_changes (breaker, at, from_state, to_state, cause, job, run_id)
VALUES (%s, to_timestamp(%s::double precision / 1000), %s, %s, %s, %s, %s)
"""

_OPEN = """
INSERT INTO callboard.alerts (kind, severity, subject, message, details)
VALUES (%s, 'warning', %s, %s, jsonb_build_object('cause', %s::text, 'job', %s::text))
    ON CONFLICT (kind, subject) WHERE resolved_at IS NULL DO UPDATE
   SET message = excluded.message, details = excluded.details
"""

_RESOLVE = """
UPDATE callboard.alerts SET resolved_at = clock_timestamp()
 WHERE kind = %s AND subject = %s AND resolved_at IS NULL
"""


def write_changes(
    cursor: psycopg.Cursor[Any], changes: Sequence[tuple[Any, ...]], *, told: bool = True
) -> None:
    """Write changes (breaker, at in ms, from, to, cause, job, run id), in their order.

    `told`: whether alerts are opened; they are closed in any case.
    """
    cursor.executemany(_CHANGE, changes)
    for breaker, _, _, to, cause, job, _ in changes:
        if to == "open" and told:
            cursor.execute(_OPEN, (KIND, breaker, open_sentence(breaker, cause), cause, job))
        elif to == "closed":
            cursor.execute(_RESOLVE, (KIND, breaker))
