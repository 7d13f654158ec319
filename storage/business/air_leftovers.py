"""Air quality: what has outlived its use. Figures and statistics of days are never among it."""

from collections.abc import Sequence
from enum import Enum
from typing import Any

from sqlalchemy import ARRAY, Connection, Text, bindparam, text

#: The time zone of a row's place.
_ZONE = "(SELECT l.time_zone FROM business.locations l WHERE l.id = t.location_id)"
_OLD_DAY = f"""
    t.measured_at < now() - (:days - 2) * interval '24 hours'
AND (t.measured_at AT TIME ZONE {_ZONE})::date < (now() AT TIME ZONE {_ZONE})::date - :days
"""


class Leftover(Enum):
    """A kind of rows: the table, and what is old of it. `:days` is how old, `:jobs` whose."""

    #: What could not be done, and was in the end.
    FAILURES = (
        "business.item_failures",
        "t.job_name = ANY(:jobs) AND t.resolved_at < now() - :days * interval '24 hours'",
    )
    #: Made again from the statistics of their days, which stay.
    REPORTS = ("business.reports", "t.kind = 'air-quality' AND t.day < (current_date - :days)::text")
    #: Of a present day that is over: the place is measured no more.
    PRESENT_DAYS = ("business.current_day_aggregates", f"t.day < (now() AT TIME ZONE {_ZONE})::date - :days")
    #: Whole days of the place's own, so that none is ever added up from a part of it.
    MEASUREMENTS = ("business.measurements", _OLD_DAY)


def count_leftovers(connection: Connection, kind: Leftover, days: int, jobs: Sequence[str]) -> int:
    """How many rows of a kind are older than so many days."""
    table, condition = kind.value
    statement = f"SELECT count(*) FROM {table} t WHERE {condition}"
    count: int = connection.execute(*_bound(statement, days=days, jobs=list(jobs))).scalar_one()
    return count


def delete_leftovers(
    connection: Connection, kind: Leftover, days: int, jobs: Sequence[str], limit: int
) -> int:
    """Delete up to `limit` rows of a kind that are older than so many days. Returns how many."""
    table, condition = kind.value
    rows = f"SELECT t.ctid FROM {table} t WHERE {condition} LIMIT :limit FOR UPDATE SKIP LOCKED"
    statement = f"DELETE FROM {table} WHERE ctid = ANY (ARRAY({rows}))"
    return connection.execute(*_bound(statement, days=days, jobs=list(jobs), limit=limit)).rowcount


def _bound(statement: str, **values: Any) -> tuple[Any, dict[str, Any]]:
    clause = text(statement)
    if ":jobs" in statement:
        return clause.bindparams(bindparam("jobs", type_=ARRAY(Text))), values
    del values["jobs"]
    return clause, values
