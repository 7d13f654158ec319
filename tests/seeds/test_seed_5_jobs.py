"""The five jobs of the fifth system are here, as its manual prints them, with its retry strategies."""

import re
from typing import Any

import pytest

from callboard.core.policies import HIGH, LOW, NORMAL, NOTIFICATIONS
from callboard.middleware.declare import describe_actors
from callboard.storage.tables.business import email_queue, outbound_jobs
from helpers.declared import declare_actors

MANUAL = """
### 1. Paris Data Fetch Job
- **Schedule**: `* * * * *` (Every minute)
- **Timezone**: Europe/Paris
- **Purpose**: Fetch air quality data for Paris
- **Priority**: Normal
- **Features**: Duplicate prevention, circuit breaker protection

### 2. Hourly Aggregations
- **Schedule**: `0 * * * *` (Every hour)
- **Timezone**: UTC
- **Purpose**: Calculate current day aggregations for all locations
- **Priority**: Normal
- **Features**: Multi-location processing, automatic scaling

### 3. Daily Statistics Finalization
- **Schedule**: `59 23 * * *` (Daily at 23:59)
- **Timezone**: UTC
- **Purpose**: Finalize daily statistics and generate reports
- **Priority**: High
- **Features**: Report caching, alert notifications for high AQI

### 4. Weekly Cleanup
- **Schedule**: `0 2 * * 0` (Sunday at 2 AM)
- **Timezone**: UTC
- **Purpose**: Clean old queue jobs, logs, and temporary data
- **Priority**: Low
- **Features**: Multi-queue cleanup, cache cleaning, metrics cleanup

### 5. Health Check
- **Schedule**: `*/5 * * * *` (Every 5 minutes)
- **Timezone**: UTC
- **Purpose**: Monitor system health and queue performance
- **Priority**: High
- **Features**: Automatic alerting, circuit breaker management
"""
STRATEGIES = """
- **Data Fetch**: Exponential backoff, max 3 attempts
- **Analytics**: Fixed delay, max 2 attempts
- **Notifications**: Exponential backoff, max 5 attempts
"""
RETENTION = """
- **Completed Jobs**: Removed after 7 days or 1000 count limit
- **Failed Jobs**: Removed after 30 days or 100 count limit
- **Logs**: Cleaned after 30 days
- **Metrics**: Retained for 90 days
"""
#: The manual prints titles; two names are those of its configuration and of its curl lines.
NAMES = {
    "Paris Data Fetch Job": "fetch-paris-data",
    "Hourly Aggregations": "hourly-aggregations",
    "Daily Statistics Finalization": "daily-statistics",
    "Weekly Cleanup": "weekly-cleanup",
    "Health Check": "health-check",
}
PRIORITIES = {"High": HIGH, "Normal": NORMAL, "Low": LOW}
CLASSES = {
    "fetch-paris-data": "Data Fetch",
    "hourly-aggregations": "Analytics",
    "daily-statistics": "Analytics",
}
ENTRY = re.compile(
    r"^### \d\. (?P<title>.+)\n- \*\*Schedule\*\*: `(?P<schedule>.+)`.*\n- \*\*Timezone\*\*: (?P<zone>.+)\n"
    r"- \*\*Purpose\*\*: (?P<purpose>.+)\n- \*\*Priority\*\*: (?P<priority>.+)\n"
    r"- \*\*Features\*\*: (?P<features>.+)$",
    re.MULTILINE,
)
JOBS = {NAMES[found["title"]]: found.groupdict() for found in ENTRY.finditer(MANUAL)}
STRATEGY = {
    name: (kind.lower(), int(attempts))
    for name, kind, attempts in re.findall(r"\*\*(.+)\*\*: (\w+) .+ max (\d) attempts", STRATEGIES)
}


@pytest.fixture
def declared(broker: Any) -> dict[str, dict[str, Any]]:
    """What the jobs of every kind say of themselves."""
    declare_actors(broker)
    return {job["name"]: job | {"priority": broker.get_actor(job["name"]).priority}
            for job in describe_actors(broker)}  # fmt: skip


def test_the_manual_prints_five_jobs_and_three_strategies() -> None:
    assert (len(JOBS), len(STRATEGY)) == (5, 3)


@pytest.mark.parametrize("name", JOBS)
def test_a_job_of_the_manual_is_declared_as_it_is_printed(declared: Any, name: str) -> None:
    printed, job = JOBS[name], declared[name]

    schedules = [(each["expr"], each["tz"]) for each in job["schedules"]]
    assert schedules == [(printed["schedule"], printed["zone"])]
    assert job["priority"] == PRIORITIES[printed["priority"]]
    assert job["options"]["mutex"] is True, "no two instances of one job run at a time, of none of them"
    assert bool(job["options"].get("breaker")) == ("circuit breaker protection" in printed["features"])
    if name != "health-check":  # the first system has it too, and its purpose is printed there
        assert job["description"] == printed["purpose"]


@pytest.mark.parametrize("name", CLASSES)
def test_a_job_is_tried_again_as_its_class_says(declared: Any, name: str) -> None:
    kind, attempts = STRATEGY[CLASSES[name]]

    assert declared[name]["max_attempts"] == attempts
    assert declared[name]["options"]["backoff"].startswith(f"{kind}: ")


def test_a_notification_is_tried_five_times_with_growing_pauses() -> None:
    kind, attempts = STRATEGY["Notifications"]

    assert NOTIFICATIONS["max_retries"] + 1 == attempts
    assert str(NOTIFICATIONS["backoff"]).startswith(f"{kind}: ")
    for table, column in ((outbound_jobs, "maxAttempts"), (email_queue, "max_attempts")):
        assert str(table.c[column].server_default.arg) == str(attempts), "messages are notifications"


def test_the_weekly_cleanup_keeps_what_the_manual_says(declared: Any) -> None:
    kept = {each["name"]: each["default"] for each in declared["weekly-cleanup"]["signature"]}
    numbers = [int(number) for number in re.findall(r"\b\d+\b", RETENTION)]

    names = ("completed_days", "completed_count", "failed_days", "failed_count", "logs_days", "metrics_days")
    assert [kept[name] for name in names] == numbers
