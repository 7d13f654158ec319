"""The items that a job has passed over because of an error."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Connection, Text, Uuid, bindparam, text

from callboard.core.limits import storable

#: Answers with how many of them an earlier run has failed at.
ADD = text("""
  WITH given AS (
SELECT * FROM unnest(:items, :errors) AS given (item, error)
     ), added AS (
INSERT INTO business.item_failures AS f (job_name, item, error, run_id)
SELECT :job, item, error, :run_id
  FROM given
 ORDER BY item
    ON CONFLICT (job_name, item) DO UPDATE
   SET error = excluded.error, run_id = excluded.run_id, times = f.times + 1
     , last_at = now(), resolved_at = NULL
     )
SELECT count(*)
  FROM given
  JOIN business.item_failures known ON known.job_name = :job AND known.item = given.item
 WHERE known.resolved_at IS NULL AND (known.run_id IS NULL OR known.run_id IS DISTINCT FROM :run_id)
""").bindparams(
    bindparam("items", type_=ARRAY(Text)),
    bindparam("errors", type_=ARRAY(Text)),
    bindparam("run_id", type_=Uuid),
)
ANY_OPEN = text("""
SELECT EXISTS (SELECT FROM business.item_failures WHERE job_name = :job AND resolved_at IS NULL)
""")
RESOLVE = text("""
UPDATE business.item_failures
   SET resolved_at = now()
 WHERE job_name = :job AND item = ANY(:items) AND resolved_at IS NULL
""").bindparams(bindparam("items", type_=ARRAY(Text)))


def add_failures(connection: Connection, job: str, errors: Mapping[str, str], run_id: UUID | None) -> int:
    """Keep that the job could not deal with these items (`offers:17`), each with its error.

    Returns how many of them it could not deal with in an earlier run either.
    """
    if not errors:
        return 0
    given = {storable(item): storable(error) for item, error in errors.items()}
    values = {"job": job, "items": list(given), "errors": list(given.values()), "run_id": run_id}
    known: int = connection.execute(ADD, values).scalar_one()
    return known


def has_failures(connection: Connection, job: str) -> bool:
    """Whether there are items that the job has failed at and not dealt with since."""
    return bool(connection.scalar(ANY_OPEN, {"job": job}))


def resolve_failures(connection: Connection, job: str, items: Sequence[str]) -> None:
    """Keep that the job has dealt with these items."""
    connection.execute(RESOLVE, {"job": job, "items": [storable(item) for item in items]})
