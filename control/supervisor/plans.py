"""Which parts there are, in the order in which they start; they end in the reverse order of `ENDS`."""

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


#: Groups of parts that end together, the first group first. The recorder hears what the last jobs did.
ENDS = (("panel", "api", "scheduler", "worker"), ("recorder",))


def make_plans(options: Options) -> list[Plan]:
    """The parts of an instance."""
    worker = (
        "--processes",
        str(options.processes),
        "--threads",
        str(options.threads),
        "--grace",
        f"{options.grace_s:g}",
    )
    return [
        Plan("recorder"),
        # Its own grace, and what it takes to end the processes afterwards.
        Plan("worker", worker, drain_s=options.grace_s + 5.0),
        Plan("scheduler"),
        Plan("api"),
        Plan("panel"),
    ]
