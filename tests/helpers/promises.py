"""What jobs say of themselves, held against what is promised."""

from typing import Any, NamedTuple

from callboard.middleware.declare import describe_actors


class Promise(NamedTuple):
    """A job's schedule (None: it has none), its time limit (s), its attempts in all, its category."""

    schedule: str | None
    limit_s: int
    attempts: int
    category: str
    zone: str = "UTC"


def assert_kept(broker: Any, name: str, promise: Promise) -> None:
    """The job is declared as promised, describes itself, and does not overlap itself."""
    job = next(job for job in describe_actors(broker) if job["name"] == name)
    schedules = [] if promise.schedule is None else [(promise.schedule, promise.zone)]
    assert [(item["expr"], item["tz"]) for item in job["schedules"]] == schedules
    assert job["time_limit_ms"] == promise.limit_s * 1000
    assert job["max_attempts"] == promise.attempts
    assert job["category"] == promise.category
    assert job["description"]
    assert job["options"].get("mutex")
