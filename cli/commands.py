"""Every command, each in its file. Importing them adds them to the application, in this order."""

from callboard.cli import up, parts, env, doctor, database, jobs, run, runs, runs_bulk, fire  # noqa: I001, F401 - the order of the help
from callboard.cli import schedules, schedules_edit, schedules_plan  # noqa: F401 - likewise
from callboard.cli import queues, queues_health, queues_drain, workers, breakers, limits, alerts, letters  # noqa: F401 - likewise
from callboard.cli import anomalies, trends, people, demo  # noqa: F401 - likewise
from callboard.cli.app import app

__all__ = ["app"]
