"""What every measurement needs: servers of its own, processes to measure, and a table of figures."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import redis
from rich.console import Console
from rich.table import Table

from callboard.storage.embedded import EmbeddedServers
from callboard.storage.migrate import migrate

console = Console()
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Servers:
    """Real servers with the durability they are shipped with."""

    database_url: str
    redis_url: str
    home: Path
    postgres: psutil.Process
    valkey: psutil.Process

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a process that uses them."""
        return {
            **os.environ,
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "CALLBOARD_HOME": str(self.home),
            "PYTHONPATH": str(ROOT),
            **more,
        }


@contextmanager
def servers() -> Iterator[Servers]:
    """A fresh PostgreSQL, migrated, and a fresh Valkey, in a folder that goes with them."""
    folder = Path(tempfile.mkdtemp(prefix="cb-bench-"))
    folder.chmod(0o755)
    try:
        embedded = EmbeddedServers(folder / "home")
        with embedded:
            migrate(embedded.database_url)
            postgres, valkey = map(psutil.Process, embedded.pids)
            yield Servers(embedded.database_url, embedded.redis_url, folder / "home", postgres, valkey)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def process(arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[psutil.Process]:
    """A Python process for as long as the block lasts; what it says goes to a file of its own."""
    with tempfile.TemporaryFile() as said:
        command = [sys.executable, *arguments]
        child = subprocess.Popen(command, env=dict(environment), stdout=said, stderr=said)
        try:
            yield psutil.Process(child.pid)
            if child.poll() is not None:
                said.seek(0)
                raise RuntimeError(f"{arguments} ended early:\n{said.read().decode()[-3000:]}")
        finally:
            child.terminate()
            try:
                child.wait(30)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


@contextmanager
def recorder(where: Servers, namespace: str) -> Iterator[psutil.Process]:
    """A recorder for the event stream of a namespace."""
    environment = where.environment(CALLBOARD_NAMESPACE=namespace)
    with process(["-m", "callboard.cli.main", "recorder"], environment) as started:
        yield started


@contextmanager
def worker(
    where: Servers, kind: str, namespace: str, *, processes: int = 1, threads: int = 8, **more: str
) -> Iterator[psutil.Process]:
    """A worker of a kind, `bare` Dramatiq or `callboard`, that is ready for the jobs of `bench.jobs`."""
    environment = where.environment(
        BENCH_BROKER=kind, CALLBOARD_NAMESPACE=namespace, CALLBOARD_ACTORS="bench.jobs", **more
    )
    size = ["--processes", str(processes), "--threads", str(threads)]
    command = ["-m", "dramatiq", "bench.jobs"] if kind == "bare" else ["-m", "callboard.cli.main", "worker"]
    with process([*command, *size], environment) as started, redis.Redis.from_url(where.redis_url) as client:
        heartbeats = f"{namespace}:__heartbeats__"
        wait_until(lambda: client.zcard(heartbeats) >= processes, timeout=60, what="the workers")
        time.sleep(2.0)
        yield started


def cpu_seconds(parent: psutil.Process) -> float:
    """CPU time used so far by a process and its children, in s."""
    total = 0.0
    for one in (parent, *parent.children(recursive=True)):
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def wait_until(condition: Callable[[], bool], *, timeout: float, what: str, every: float = 0.005) -> None:
    """Wait for a condition.

    Raises:
        TimeoutError: it did not come true within `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Waited {timeout:g} s in vain for {what}.")
        time.sleep(every)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print figures."""
    shown = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        shown.add_column(column, justify="left" if number == 0 else "right")
    for row in rows:
        shown.add_row(*(f"{value:,.2f}" if isinstance(value, float) else str(value) for value in row))
    console.print(shown)


@dataclass(frozen=True, slots=True)
class Target:
    """A figure, and what is aimed at."""

    what: str
    figure: float
    least: float | None
    most: float | None

    @property
    def met(self) -> bool:
        """Whether the figure is what is aimed at."""
        return (self.least is None or self.figure >= self.least) and (
            self.most is None or self.figure <= self.most
        )


#: What has been measured so far, against what is aimed at.
targets: list[Target] = []


def aim(what: str, figure: float, *, least: float | None = None, most: float | None = None) -> None:
    """Hold a figure against what is aimed at."""
    targets.append(Target(what, figure, least, most))


def verdict() -> bool:
    """Print all targets; whether every one is met."""
    rows = [
        (
            target.what,
            float(target.figure),
            f"at least {target.least:,g}" if target.least is not None else f"at most {target.most:,g}",
            "met" if target.met else "MISSED",
        )
        for target in targets
    ]
    table("Targets", ("", "measured", "aimed at", ""), rows)
    return all(target.met for target in targets)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that a share (0 to 1) of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
