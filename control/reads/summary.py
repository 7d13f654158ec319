"""The six figures above everything else."""

from collections.abc import Sequence
from dataclasses import dataclass

from callboard.control.context import Context
from callboard.control.marks import Mark, mark, success_rate
from callboard.control.reads.jobs import DAYS, Job, jobs


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of jobs now and of executions in the last `days` days; the rate in per cent."""

    total_jobs: int
    enabled_jobs: int
    disabled_jobs: int
    running_jobs: int
    total_executions: int
    total_failures: int
    overall_success_rate: float | None
    mark: Mark
    days: int


def summary(context: Context, *, days: int = DAYS) -> Summary:
    """The figures over all declared jobs."""
    return summarise(jobs(context, days=days), days=days)


def summarise(found: Sequence[Job], *, days: int = DAYS) -> Summary:
    """The figures over jobs that were read already."""
    enabled = sum(each.enabled for each in found)
    executions = sum(each.stats.executions for each in found)
    failures = sum(each.stats.failures for each in found)
    rate = success_rate(executions - failures, failures)
    return Summary(
        total_jobs=len(found),
        enabled_jobs=enabled,
        disabled_jobs=len(found) - enabled,
        running_jobs=sum(each.running for each in found),
        total_executions=executions,
        total_failures=failures,
        overall_success_rate=rate,
        mark=mark(rate),
        days=days,
    )
