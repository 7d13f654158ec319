"""What each business job takes on the made-up data of many customers: seconds, and memory of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg

from bench.harness import Servers, aim, console, process, recorder, servers, table, wait_until
from callboard.control.addresses import choose_ports
from callboard.control.context import Context
from callboard.control.supervisor.newcomer import CALLER, JOBS
from callboard.core.settings import Settings, load_settings

CUSTOMERS = 10_000
#: What no job may exceed: seconds, and MB more than its worker had before.
SECONDS, MEGABYTES = 60, 200
#: Jobs whose work another one only sends, in their order.
SENT = ("game_platform_sync", "game_platform_totals_sweep")
SENDER = "game_platform_full_sync"
#: A game platform that nothing has been fetched from yet, and where everybody's totals are to be refreshed.
FORGET = """
TRUNCATE business.challenge_solves, business.competitor_totals, business.sync_cursors;
UPDATE business.competitors SET platform_id = NULL, synced_at = NULL, needs_totals_refresh = false
"""
MODULES = "callboard.actors,callboard.actors.business"


def main(*, quick: bool) -> None:
    """Each job once, the only one at work, in a worker process of its own with one thread."""
    customers = 1_000 if quick else CUSTOMERS
    with servers() as where, sandboxed(where) as variables, recorder(where, "business"):
        settings = load_settings(where.environment(**variables))
        begun = time.perf_counter()
        seed(where, "--customers", str(customers))
        aim(f"making up {customers:,} customers, s", time.perf_counter() - begun, most=60)
        seed(where, "--customers", str(customers), "--competitors", str(customers), "--replace", "--yes")
        jobs = [job for job in JOBS if job != SENDER]
        rows = [measure(where, settings, variables, job) for job in (*jobs, *SENT)]
        with psycopg.connect(where.database_url, autocommit=True) as connection:
            connection.execute(FORGET)  # type: ignore[arg-type]
        rows += [(f"{job}, from nothing", *measure(where, settings, variables, job)[1:]) for job in SENT]
    aim("business jobs, slowest, s", max(row[2] for row in rows), most=SECONDS)
    aim("business jobs, largest, MB more", max(row[3] for row in rows), most=MEGABYTES)
    table(
        f"Each job once, {customers:,} customers and competitors (at most {SECONDS} s, {MEGABYTES} MB)",
        ("job", "items", "s", "MB more"),
        rows,
    )


def measure(
    where: Servers, settings: Settings, variables: dict[str, str], job: str
) -> tuple[str, str, float, float]:
    """A job's name, how much it has processed, its seconds, and the MB by which its process grew at most."""
    from callboard.control.actions.run_job import run_job

    environment = where.environment(**variables)
    command = ["-m", "callboard.cli.main", "worker", "--processes", "1", "--threads", "1"]
    with process(command, environment) as master, Context(settings, application_name="bench") as context:
        worker = ready(context, master)
        before = resident(worker, "VmRSS")
        forget_peak(worker)
        run = run_job(context, CALLER, job)
        with psycopg.connect(where.database_url, autocommit=True) as connection:
            row = ended(connection, str(run.run_id))
        grown = resident(worker, "VmHWM") - before
    if row["state"] != "succeeded":
        raise RuntimeError(f"{job} {row['state']}: {row['error'] or row['reason']}")
    result: Any = row["result"] or {}
    processed = result.get("processed", result.get("rows"))
    return job, f"{processed:,}" if isinstance(processed, int) else "", row["duration_ms"] / 1000, grown


def ready(context: Context, master: psutil.Process) -> psutil.Process:
    """The process that works, once it has told of its jobs and has come to rest."""

    def at_work() -> bool:
        described: Any = context.redis.hgetall(context.keys.workers)
        told = b" ".join(described.values())
        return any(str(child.pid).encode() in told for child in master.children(recursive=True))

    wait_until(at_work, timeout=60, what="the worker", every=0.1)
    time.sleep(1.5)
    return max(master.children(recursive=True), key=lambda child: child.memory_info().rss)


def resident(process_: psutil.Process, what: str) -> float:
    """MB of a process: `VmRSS` now, `VmHWM` at most since `forget_peak` (where the system tells)."""
    try:
        for line in Path(f"/proc/{process_.pid}/status").read_text().splitlines():
            if line.startswith(what):
                return int(line.split()[1]) * 1024 / 1e6
    except OSError:
        pass
    return process_.memory_info().rss / 1e6


def forget_peak(process_: psutil.Process) -> None:
    """Have the kernel count the most memory of a process anew."""
    try:
        Path(f"/proc/{process_.pid}/clear_refs").write_text("5")
    except OSError:
        console.print("The kernel keeps the highest figure since the start of the process.")


def ended(connection: psycopg.Connection, run_id: str) -> dict[str, Any]:
    """The row of a run that has ended."""
    statement = """
SELECT to_jsonb(r) FROM callboard.runs r
 WHERE run_id = %s AND state IN ('succeeded', 'failed', 'dead', 'skipped', 'cancelled')
"""
    found: list[Any] = []

    def over() -> bool:
        found[:] = connection.execute(statement, (run_id,)).fetchall()
        return bool(found)

    wait_until(over, timeout=400, what=f"the end of run {run_id}", every=0.1)
    row: dict[str, Any] = found[0][0]
    return row


def seed(where: Servers, *options: str) -> None:
    """Make up data."""
    command = [sys.executable, "-m", "callboard.cli.main", "demo", "seed", *options]
    subprocess.run(command, env=where.environment(), check=True, stdout=subprocess.DEVNULL)
    with psycopg.connect(where.database_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


@contextmanager
def sandboxed(where: Servers) -> Iterator[dict[str, str]]:
    """A sandbox in a process of its own; what jobs have to be told of it."""
    anywhere = {"CALLBOARD_SANDBOX_PORT": "0", "CALLBOARD_SANDBOX_SMTP_PORT": "0"}
    chosen = choose_ports(load_settings({**os.environ, "CALLBOARD_HOME": str(where.home), **anywhere}))
    variables = {
        "CALLBOARD_ACTORS": MODULES,
        "CALLBOARD_NAMESPACE": "business",
        "CALLBOARD_SANDBOX_URL": chosen.callboard_sandbox_url,
        "CALLBOARD_SANDBOX_SMTP_URL": chosen.callboard_sandbox_smtp_url,
    }
    ports = (chosen.callboard_sandbox_port, chosen.callboard_sandbox_smtp_port)
    command = ["sandbox", "--port", str(ports[0]), "--smtp-port", str(ports[1])]
    with process(["-m", "callboard.cli.main", *command], where.environment(**variables)):
        time.sleep(3)
        yield variables
