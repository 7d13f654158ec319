"""The jobs that operators start by one click."""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from callboard.storage.queries import Row

QUICK_ACTIONS = text("""
SELECT j.name, j.options ->> 'quick_action' AS label, j.description, j.signature
     , CASE WHEN c.job_name IS NULL THEN j.enabled_default ELSE c.enabled IS NOT FALSE END AS enabled
  FROM callboard.jobs j
  LEFT JOIN public.cron_job_config c ON c.job_name = j.name
 WHERE j.declared AND j.options ->> 'quick_action' <> ''
 ORDER BY label, j.name
 LIMIT :limit
""")


def quick_actions(connection: Connection, *, limit: int) -> Sequence[Row]:
    """One row a job with a quick action, by what it is called."""
    return connection.execute(QUICK_ACTIONS, {"limit": limit}).mappings().all()
