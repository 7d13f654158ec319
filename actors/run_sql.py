"""The job `run-sql`."""

from typing import Any

import dramatiq

from callboard.actors.database import engine
from callboard.core.settings import load_settings
from callboard.storage.commands import run_command


@dramatiq.actor(
    actor_name="run-sql",
    description="Run the SQL command of a schedule made by cron.schedule()",
    category="sql",
    time_limit=3_600_000,
    max_retries=0,
    mutex="run-sql:{name}",
)
def run_sql(name: str, command: str) -> dict[str, Any]:
    """Run the command, under a role without rights on Callboard's own tables.

    Only what is the command of the schedule of that name at present is run. A run that comes while the one
    before goes on is skipped.
    """
    settings = load_settings()
    outcome = run_command(engine(), settings.database_url, name, command, settings.callboard_sql_timeout)
    return {"message": outcome.message, "pid": outcome.pid}
