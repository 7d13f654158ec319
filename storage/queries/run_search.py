"""Runs that fit a filter, and the log lines of one of them, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from callboard.storage.queries import Row
from callboard.storage.queries.runs import COLUMNS

#: An argument by its name, wherever the caller put it: among the named ones, or at its place.
_ARGUMENT = """(coalesce(r.kwargs -> :name_{n}
        , (SELECT r.args -> (p.place - 1)::integer
             FROM callboard.jobs j, jsonb_array_elements(j.signature) WITH ORDINALITY p (said, place)
            WHERE j.name = r.job AND p.said ->> 'name' = :name_{n})
        , CASE WHEN :name_{n} ~ '^[0-9]{{1,4}}$' THEN r.args -> cast(:name_{n} AS integer) END))
       #> cast(:path_{n} AS text[]) @> ANY (cast(cast(:values_{n} AS text[]) AS jsonb[]))"""

LOG_LINES = text("""
SELECT attempt, seq, at, level, message
  FROM callboard.log_lines
 WHERE run_id = :run_id AND enqueued_at = :enqueued_at
   AND (attempt, seq) > (:attempt, :seq)
 ORDER BY attempt, seq
 LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class Filter:
    """What runs must be like: all that is given.

    `arguments` are a name, the way to a part of it, and JSON texts one of which it must be or contain.
    """

    since: datetime
    until: datetime | None = None
    states: Sequence[str] = ()
    jobs: Sequence[str] = ()
    job_parts: Sequence[str] = ()
    queues: Sequence[str] = ()
    triggers: Sequence[str] = ()
    errors: Sequence[str] = ()
    error_types: Sequence[str] = ()
    arguments: Sequence[tuple[str, Sequence[str], Sequence[str]]] = ()


def find(
    connection: Connection, wanted: Filter, *, before: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Row]:
    """One row a run, the latest sent first; `before` is the last of the page before."""
    where, values = _conditions(wanted)
    if before is not None:
        where.append("(r.enqueued_at, r.run_id) < (:before_at, cast(:before_id AS uuid))")
        values |= {"before_at": before[0], "before_id": before[1]}
    statement = f"""
        SELECT {COLUMNS}
          FROM callboard.runs r
         WHERE {" AND ".join(where)}
         ORDER BY enqueued_at DESC, run_id DESC
         LIMIT :limit"""
    return connection.execute(text(statement), {**values, "limit": limit}).mappings().all()


def log_lines(
    connection: Connection, run_id: UUID, enqueued_at: datetime, *, after: tuple[int, int], limit: int
) -> Sequence[Row]:
    """One row a line that a run logged after that one (attempt, number), in order."""
    values = {
        "run_id": run_id,
        "enqueued_at": enqueued_at,
        "attempt": after[0],
        "seq": after[1],
        "limit": limit,
    }
    return connection.execute(LOG_LINES, values).mappings().all()


def _conditions(wanted: Filter) -> tuple[list[str], dict[str, Any]]:
    where = ["r.enqueued_at >= :since"]
    given: dict[str, Any] = {"since": wanted.since}
    if wanted.until is not None:
        where.append("r.enqueued_at <= :until")
        given["until"] = wanted.until
    for column, names in (
        ("state", wanted.states),
        ("job", wanted.jobs),
        ("queue", wanted.queues),
        ("trigger", wanted.triggers),
        ("error_type", wanted.error_types),
    ):
        if names:
            where.append(f"r.{column} = ANY (cast(:{column} AS text[]))")
            given[column] = list(names)
    for n, part in enumerate(wanted.job_parts):
        where.append(f"strpos(lower(r.job), lower(:job_part_{n})) > 0")
        given[f"job_part_{n}"] = part
    for n, part in enumerate(wanted.errors):
        where.append(f"strpos(lower(concat_ws(' ', r.error_type, r.error, r.reason)), lower(:error_{n})) > 0")
        given[f"error_{n}"] = part
    for n, (name, path, fitting) in enumerate(wanted.arguments):
        where.append(_ARGUMENT.format(n=n))
        given |= {f"name_{n}": name, f"path_{n}": list(path), f"values_{n}": list(fitting)}
    return where, given
