"""Which parts there are, in the order in which they start, and in which groups they end."""

import sys
from dataclasses import dataclass

from callboard.control.supervisor.part import Plan


@dataclass(frozen=True, slots=True)
class Options:
    """How much of it to run.

    `processes` and `threads` are the worker's; `grace_s` is for how long running jobs may go on at the end.
    """

    processes: int = 2
    threads: int = 8
    grace_s: float = 15.0


#: Groups of parts that end together, the first group first. The recorder hears what the last jobs did, and
#: these call the sandbox.
ENDS = (("panel", "api", "scheduler", "worker"), ("recorder", "sandbox"))


def make_plans(options: Options, *, sandbox: bool = False) -> list[Plan]:
    """The parts of an instance, with a sandbox or without. Those that run jobs are the last to start."""
    processes, threads, grace = str(options.processes), str(options.threads), f"{options.grace_s:g}"
    return [
        *([Plan("sandbox", _argv("sandbox"))] if sandbox else []),
        Plan("recorder", _argv("recorder")),
        Plan("api", _argv("api"), drain_s=15.0),
        Plan("panel", _argv("panel")),
        Plan(
            "worker",
            _argv("worker", "--processes", processes, "--threads", threads, "--grace", grace),
            # Its own grace, and what it takes to end the processes afterwards.
            drain_s=options.grace_s + 5.0,
        ),
        Plan("scheduler", _argv("scheduler")),
    ]


def _argv(part: str, *options: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "callboard.control.processes", part, *options)
