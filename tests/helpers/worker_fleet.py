"""A fleet of worker processes, started as `callboard worker` starts one."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import redis

from callboard.core.keys import Keys
from callboard.core.settings import Settings
from helpers.waiting import wait_for

TESTS = Path(__file__).parents[1]


class Fleet:
    """A master process and its children. `options` are those of `callboard.worker.process.run`.

    `environment` is what they find in addition to the settings; by default that of this process.
    """

    def __init__(
        self,
        settings: Settings,
        log: Path,
        *,
        actors: str = "helpers.fleet_jobs",
        environment: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        self.log = log
        self._keys = Keys(settings.callboard_namespace)
        self._client = redis.Redis.from_url(settings.redis_url)
        variables = {
            **(environment or os.environ),
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "CALLBOARD_NAMESPACE": settings.callboard_namespace,
            "CALLBOARD_HOME": str(settings.home),
            "CALLBOARD_ACTORS": actors,
            "PYTHONPATH": str(TESTS),
        }
        with log.open("ab") as output:
            self.master = subprocess.Popen(
                [sys.executable, "-m", "helpers.fleet_main", json.dumps(options)],
                env=variables,
                stdout=output,
                stderr=output,
                cwd=TESTS.parent,
            )

    def workers(self) -> dict[str, int]:
        """The worker processes that have made themselves known: broker id to process id."""
        described: Any = self._client.hgetall(self._keys.workers)
        return {broker.decode(): json.loads(value)["pid"] for broker, value in described.items()}

    def alive(self) -> list[int]:
        """The process ids of the children that live."""
        try:
            children = psutil.Process(self.master.pid).children()
        except psutil.NoSuchProcess:
            return []
        return [child.pid for child in children if _lives(child)]

    def wait_for_workers(self, count: int) -> list[int]:
        """The process ids of so many workers, as soon as they live and are known."""

        def known() -> list[int] | None:
            found = [pid for pid in self.workers().values() if pid in self.alive()]
            return found if len(found) >= count else None

        pids = wait_for(known, 30, f"{count} workers")
        assert pids is not None
        return pids

    def notes(self) -> list[str]:
        """What the jobs have noted."""
        entries: Any = self._client.lrange(f"{self._keys.namespace}:notes", 0, -1)
        return [entry.decode() for entry in entries]

    def terminate(self, timeout: float = 20.0) -> int:
        """Ask the fleet to end, and return its exit code."""
        self.master.send_signal(signal.SIGTERM)
        return self.master.wait(timeout)

    def close(self) -> None:
        """End whatever is left of it."""
        if self.master.poll() is None:
            processes = [psutil.Process(pid) for pid in self.alive()]
            self.master.kill()
            self.master.wait()
            for process in processes:
                if process.is_running():
                    process.kill()
            psutil.wait_procs(processes, 5)
        self._client.close()


@contextmanager
def worker_fleet(settings: Settings, folder: Path, **options: Any) -> Iterator[Fleet]:
    """A fleet that is gone afterwards."""
    made = Fleet(settings, folder / "worker.log", **options)
    try:
        yield made
    finally:
        made.close()


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
