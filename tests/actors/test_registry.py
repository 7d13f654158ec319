"""What the jobs say of themselves: their schedules, limits, attempts and categories are promised."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import callboard.actors
from callboard.middleware.declare import describe_actors

#: job: (schedule, time limit in s, attempts in all, category)
PROMISED = {
    "health-check": ("*/5 * * * *", 30, 1, "monitoring"),
    "cleanup-expired-sessions": ("0 0 * * *", 300, 1, "cleanup"),
    "cleanup-old-logs": ("0 0 * * 0", 600, 1, "cleanup"),
    "cleanup-old-uptime-logs": ("0 0 1 * *", 600, 1, "cleanup"),
    "cleanup-old-alerts": ("0 0 1 * *", 600, 1, "cleanup"),
    "cleanup-old-dead-letters": ("0 3 * * *", 600, 1, "cleanup"),
    "dead-letters": (None, 3600, 11, "control"),
    "bulk-runs": (None, 3600, 11, "control"),
    "run-sql": (None, 3600, 1, "sql"),
    "heartbeat": ("*/30 * * * * *", 10, 1, "monitoring"),
}


@pytest.fixture
def declared(surroundings: Any) -> dict[str, dict[str, Any]]:
    return {job["name"]: job for job in describe_actors(surroundings)}


@pytest.mark.parametrize("name", PROMISED)
def test_a_job_keeps_its_schedule_limit_attempts_and_category(
    declared: dict[str, dict[str, Any]], name: str
) -> None:
    schedule, limit_s, attempts, category = PROMISED[name]

    job = declared[name]

    schedules = [] if schedule is None else [(schedule, "UTC")]
    assert [(item["expr"], item["tz"]) for item in job["schedules"]] == schedules
    assert job["time_limit_ms"] == limit_s * 1000
    assert job["max_attempts"] == attempts
    assert job["category"] == category
    assert job["description"]


def test_a_job_that_changes_things_does_not_overlap_itself(declared: dict[str, dict[str, Any]]) -> None:
    free = {name for name, job in declared.items() if not job["options"].get("mutex")}

    assert free == {"heartbeat"}


def test_each_job_of_the_systems_own_has_a_file_of_its_name() -> None:
    files = {path.stem.replace("_", "-") for path in Path(callboard.actors.__path__[0]).glob("*.py")}

    assert set(PROMISED) <= files
    for name in PROMISED:
        module = import_module(f"callboard.actors.{name.replace('-', '_')}")
        assert getattr(module, name.replace("-", "_")).actor_name == name
