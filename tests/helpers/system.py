"""A whole system at work: worker, recorder, scheduler and API on the test session's servers."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg.rows import dict_row

from callboard.core.settings import Settings, load_settings
from callboard.scheduler.process import SchedulerProcess
from callboard.storage.embedded import EmbeddedServers
from callboard.storage.engine import psycopg_url
from helpers.databases import Databases
from helpers.fleet import fleet
from helpers.serving import serving
from helpers.waiting import wait_for

JOBS = "callboard.actors,callboard.actors.business"
#: The tokens that the five systems know, and an administrator's.
TOKENS = {
    "CALLBOARD_API_TOKEN": "an-administrators-token",
    "CRON_SECRET": "the-cron-secret",
    "JOB_RUNNER_TOKEN": "the-job-runner-token",
    "JOB_QUEUE_RUNNER_SECRET": "the-job-queue-runner-secret",
}


@dataclass(frozen=True)
class System:
    """What a person at a terminal has: `curl` and `psql`."""

    settings: Settings
    url: str
    client: httpx.Client
    database: psycopg.Connection[dict[str, Any]]

    def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = TOKENS["CALLBOARD_API_TOKEN"],
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        """Make a request; with a bearer token unless it is None."""
        given = dict(headers or {})
        if token is not None:
            given["Authorization"] = f"Bearer {token}"
        return self.client.request(method, f"{self.url}{path}", headers=given, **more)

    def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """What a statement answers."""
        return list(self.database.execute(statement, values).fetchall())

    def wait_for_run(self, run_id: str, timeout: float = 60.0) -> dict[str, Any]:
        """The run, once it has ended."""

        def ended() -> dict[str, Any] | None:
            found = self.call("GET", f"/api/runs/{run_id}")
            run: dict[str, Any] = found.json()
            over = found.status_code == 200 and run["state"] in {
                "succeeded", "failed", "cancelled", "skipped", "dead"
            }  # fmt: skip
            return run if over else None

        run = wait_for(ended, timeout, f"the end of run {run_id}")
        assert run is not None
        return run


@contextmanager
def own_surroundings(
    servers: EmbeddedServers, databases: Databases, redis_database: int, home: Path
) -> Iterator[dict[str, str]]:
    """The environment of a system on databases that nobody else uses."""
    url = databases.fresh()
    yield {
        "DATABASE_URL": url,
        "REDIS_URL": servers.redis_url.replace("db=0", f"db={redis_database}"),
        "CALLBOARD_NAMESPACE": f"system{redis_database}",
        "CALLBOARD_HOME": str(home),
    }
    databases.drop(url)


@contextmanager
def running_system(environment: Mapping[str, str], *, jobs: str = JOBS, threads: int = 8) -> Iterator[System]:
    """The system in that environment (servers, namespace, home, providers), until the block ends."""
    variables = {**TOKENS, **environment, "CALLBOARD_ACTORS": jobs}
    settings = load_settings(variables)
    with (
        SchedulerProcess(settings),
        fleet(settings, jobs, threads=threads, environment=os.environ | variables),
        serving(settings) as url,
        httpx.Client(timeout=60) as client,
        psycopg.connect(
            psycopg_url(settings.database_url), autocommit=True, row_factory=dict_row
        ) as database,
    ):
        yield System(settings, url, client, database)
