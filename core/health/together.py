"""One alert for what several jobs, or several queues, have in common.

A database that is away fails all jobs that use it, and a worker that is away holds up all queues that it
served. Those that have an alert of their own by then keep it; the others have one together. Whoever is in it
stays in it as long as anything is amiss there, and it is open as long as anybody is in it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from callboard.core.display import listed, many
from callboard.core.fingerprint import normalised
from callboard.core.health.alarms import BOTTLENECK, FAILING, OF_JOBS, Alarm
from callboard.core.health.bottlenecks import Cause
from callboard.core.hiding import hide

#: From so many jobs with one error on they have one alert, and from so many queues with one cause.
JOBS: Final = 3
QUEUES: Final = 2
#: The subject of the alert for queues that nobody serves; no queue can have that name.
UNSERVED: Final = "no workers"
#: Causes that queues on the same workers have together.
SHARED: Final[frozenset[Cause]] = frozenset({"capacity", "noisy_neighbour", "slow_dependency", "stalled"})
#: Characters of a subject at most, and names that a message lists.
LONGEST: Final = 120
NAMED: Final = 5

#: A kind and a subject.
Place = tuple[str, str]
#: The alerts that are open, with the jobs or queues that each is about where these are several.
Opened = Mapping[Place, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Failure:
    """How one run of a job failed."""

    job: str
    error_type: str | None
    error: str | None
    fingerprint: str | None


@dataclass(frozen=True, slots=True)
class Error:
    """What several failures say: the type, and with it the first line without what changes each time."""

    type: str | None
    words: str


def errors_of(failures: Iterable[Failure]) -> dict[str, Error]:
    """By job the error that more than half of its failures have.

    What has no words is known by its fingerprint, and what has neither is like nothing else.
    """
    by_job: dict[str, Counter[Error | None]] = defaultdict(Counter)
    for each in failures:
        by_job[each.job][_error(each)] += 1
    most = {job: counted.most_common(1)[0] for job, counted in by_job.items()}
    return {
        job: error
        for job, (error, number) in most.items()
        if error is not None and number * 2 > by_job[job].total()
    }


def one_for_all(alarms: Iterable[Alarm], opened: Opened, errors: Mapping[str, Error]) -> list[Alarm]:
    """The alarms with those that have one cause put together.

    Parameters:
        alarms: at most one of a kind and subject.
        opened: what is open.
        errors: by job what its failures say, see `errors_of`.
    """
    found, groups = [], defaultdict[Place, list[Alarm]](list)
    own = defaultdict[Place, int](int)
    for each in alarms:
        known = (each.kind, each.subject) in opened
        place = None if known else _joined(each, opened)
        place = place or _place(each, errors)
        if place is not None and not known:
            groups[place].append(each)
            continue
        found.append(each)
        if place is not None:
            own[place] += 1
    # A job may have any name, even what an error says.
    taken = {(each.kind, each.subject) for each in found}
    for place, alike in groups.items():
        kind, subject = place
        least = 1 if place in opened else JOBS if kind == FAILING else QUEUES
        if len(alike) + own[place] < least or place in taken:
            found += alike
        else:
            found.append(_of_jobs(subject, alike, errors) if kind == FAILING else _of_queues(subject, alike))
    return found


def _joined(alarm: Alarm, opened: Opened) -> Place | None:
    """The open alert of several that it is a part of already."""
    kind = FAILING if alarm.kind in OF_JOBS else BOTTLENECK
    return next(
        (place for place, members in opened.items() if place[0] == kind and alarm.subject in members), None
    )


def _place(alarm: Alarm, errors: Mapping[str, Error]) -> Place | None:
    """The kind and subject that an alarm would have together with others."""
    if alarm.kind in OF_JOBS:
        error = errors.get(alarm.subject)
        return None if error is None else (FAILING, error.words)
    cause, pool = alarm.details.get("cause"), alarm.details.get("pool", ())
    if cause == "no_consumer":
        return BOTTLENECK, UNSERVED
    if cause in SHARED and len(pool) > 1:
        return BOTTLENECK, ", ".join(pool)[:LONGEST]
    return None


def _of_jobs(words: str, alike: Sequence[Alarm], errors: Mapping[str, Error]) -> Alarm:
    jobs, worst = [each.subject for each in alike], _worst(alike)
    text = f"{many(len(jobs), 'job')} fail with {words}: {listed(jobs, NAMED)}. {worst.message}"
    if len(jobs) == 1:
        text = f"{worst.message} It failed with {words}, as others did."
    kind = next((errors[job].type for job in jobs if job in errors and errors[job].words == words), None)
    return Alarm(FAILING, words, text, worst.severity, {"error_type": kind, "jobs": jobs})


def _of_queues(subject: str, alike: Sequence[Alarm]) -> Alarm:
    queues, worst = [each.subject for each in alike], _worst(alike)
    text = f"{many(len(queues), 'queue')} are held up together: {listed(queues, NAMED)}. {worst.message}"
    if len(queues) == 1:
        text = worst.message
    details = {"cause": worst.details.get("cause"), "queues": queues}
    return Alarm(BOTTLENECK, subject, text, worst.severity, details)


def _worst(alike: Sequence[Alarm]) -> Alarm:
    return next((each for each in alike if each.severity == "critical"), alike[0])


def _error(failure: Failure) -> Error | None:
    said = normalised(hide(failure.error or "").strip().partition("\n")[0])
    if not said and failure.fingerprint is None:
        return None
    words = f"{failure.error_type or 'Error'}: {said or f'({failure.fingerprint})'}"
    return Error(failure.error_type, words[:LONGEST])
