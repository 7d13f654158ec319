"""A worker and a recorder in processes of their own, as `callboard up` starts them."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from callboard.core.settings import Settings
from callboard.storage.engine import make_engine
from helpers.waiting import wait_for

TESTS = Path(__file__).parents[1]


@contextmanager
def fleet(
    settings: Settings, actors: str, *, threads: int = 8, environment: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Work on the jobs of a module until the block ends; it begins when they are registered."""
    environment = dict(environment or os.environ) | {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "CALLBOARD_NAMESPACE": settings.callboard_namespace,
        "CALLBOARD_HOME": str(settings.home),
        "CALLBOARD_ACTORS": actors,
        "PYTHONPATH": os.pathsep.join([str(TESTS), *filter(None, [(environment or {}).get("PYTHONPATH")])]),
    }
    parts = [["worker", "--threads", str(threads)], ["recorder"]]
    started = [
        subprocess.Popen([sys.executable, "-m", "callboard.control.processes", *part], env=environment)
        for part in parts
    ]
    try:
        wait_for(lambda: _registered(settings, actors), what=f"the registration of {actors}")
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(timeout=90)


def _registered(settings: Settings, actors: str) -> int:
    engine = make_engine(settings.database_url, pool_size=1)
    try:
        with engine.connect() as connection:
            query = text("SELECT count(*) FROM callboard.jobs WHERE declared AND source = :source")
            return int(connection.execute(query, {"source": actors}).scalar_one())
    finally:
        engine.dispose()
