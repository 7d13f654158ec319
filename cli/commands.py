"""Every command, each in its file. Importing them adds them to the application, in this order."""

from callboard.cli import up, parts, env, doctor, database, jobs, run, runs, queues, breakers, letters, people  # noqa: I001, F401 - the order of the help
from callboard.cli.app import app

__all__ = ["app"]
