"""The seventeen jobs of the first system are here, as its registry prints them."""

import re
from typing import Any

import pytest

from callboard.middleware.declare import describe_actors
from helpers.declared import declare_actors
from helpers.promises import Promise, assert_kept

REGISTRY = """
#### Opportunities (2 jobs)

**process-opportunity-offers**
- Schedule: `0 8 * * *` (Daily at 8am)
- Purpose: Send automated offers for missed opportunities
- Timeout: 600s
- Retries: 3

**opportunity-reminders**
- Schedule: `0 8 * * *` (Daily at 8am)
- Purpose: Send follow-up reminders for opportunities
- Timeout: 300s
- Retries: 2

#### Promotions (3 jobs)

**process-promotion-deliveries**
- Schedule: `*/30 * * * *` (Every 30 minutes)
- Purpose: Deliver queued promotions to customers
- Timeout: 300s
- Retries: 2

**calculate-promotion-analytics**
- Schedule: `0 2 * * *` (Daily at 2am)
- Purpose: Calculate promotion performance metrics
- Timeout: 300s
- Retries: 1

**promotion-triggers**
- Schedule: `0 10 * * *` (Daily at 10am)
- Purpose: Check and trigger automated promotions
- Timeout: 600s
- Retries: 2

#### Reviews (2 jobs)

**send-review-requests**
- Schedule: `0 */6 * * *` (Every 6 hours)
- Purpose: Send review requests for completed jobs
- Timeout: 300s
- Retries: 2

**review-follow-ups**
- Schedule: `0 9 * * *` (Daily at 9am)
- Purpose: Send review reminders and handle escalations
- Timeout: 300s
- Retries: 2

#### Loyalty & Referrals (3 jobs)

**process-tier-upgrades**
- Schedule: `0 3 * * *` (Daily at 3am)
- Purpose: Check and process customer tier upgrades
- Timeout: 300s
- Retries: 1

**process-achievements**
- Schedule: `0 4 * * *` (Daily at 4am)
- Purpose: Check and award customer achievements
- Timeout: 300s
- Retries: 1

**process-referrals**
- Schedule: `0 */4 * * *` (Every 4 hours)
- Purpose: Check referral conversions and award points
- Timeout: 300s
- Retries: 2

#### Analytics (2 jobs)

**aggregate-portal-analytics**
- Schedule: `0 1 * * *` (Daily at 1am)
- Purpose: Aggregate daily portal usage statistics
- Timeout: 300s
- Retries: 1

**aggregate-opportunity-analytics**
- Schedule: `0 1 * * *` (Daily at 1am)
- Purpose: Aggregate daily opportunity pipeline metrics
- Timeout: 300s
- Retries: 1

#### Monitoring (1 job)

**health-check**
- Schedule: `*/5 * * * *` (Every 5 minutes)
- Purpose: Monitor system health and uptime
- Timeout: 30s
- Retries: 1

#### Cleanup (4 jobs)

**cleanup-expired-sessions**
- Schedule: `0 0 * * *` (Daily at midnight)
- Purpose: Remove expired authentication sessions
- Timeout: 300s
- Retries: 1

**cleanup-old-logs**
- Schedule: `0 0 * * 0` (Weekly on Sunday at midnight)
- Purpose: Archive or delete old log entries
- Timeout: 600s
- Retries: 1

**cleanup-old-uptime-logs**
- Schedule: `0 0 1 * *` (Monthly on the 1st)
- Purpose: Remove uptime logs older than 90 days
- Timeout: 600s
- Retries: 1

**cleanup-old-alerts**
- Schedule: `0 0 1 * *` (Monthly on the 1st)
- Purpose: Remove resolved alerts older than 90 days
- Timeout: 600s
- Retries: 1
"""
#: "Loyalty & Referrals" is `loyalty`, as the categories of the first system's API are single words.
GROUP = re.compile(r"^#### (\w+)[^(]*\((\d+) jobs?\)$((?:(?!^####).)*)", re.MULTILINE | re.DOTALL)
JOB = re.compile(
    r"^\*\*(?P<name>[a-z-]+)\*\*\n- Schedule: `(?P<schedule>[^`]+)`.*\n- Purpose: (?P<purpose>.+)\n"
    r"- Timeout: (?P<limit>\d+)s\n- Retries: (?P<retries>\d+)$",
    re.MULTILINE,
)


def read() -> dict[str, tuple[str, Promise]]:
    """The registry: purpose and promise, by name."""
    found = {}
    for group, count, printed in GROUP.findall(REGISTRY):
        jobs = list(JOB.finditer(printed))
        assert len(jobs) == int(count), group
        for job in jobs:
            promise = Promise(job["schedule"], int(job["limit"]), int(job["retries"]), group.lower())
            found[job["name"]] = (job["purpose"], promise)
    return found


@pytest.fixture
def declared(broker: Any) -> Any:
    """A broker with the jobs of every kind."""
    declare_actors(broker)
    return broker


def test_the_registry_prints_seventeen_jobs() -> None:
    assert len(read()) == 17


@pytest.mark.parametrize("name", read())
def test_a_job_of_the_registry_is_declared_as_it_is_printed(declared: Any, name: str) -> None:
    purpose, promise = read()[name]
    assert_kept(declared, name, promise)
    job = next(job for job in describe_actors(declared) if job["name"] == name)
    assert job["description"] == purpose
    # The second attempt comes after 5 s, the third after 10 s
    assert promise.attempts == 1 or job["options"]["backoff"] == "linear"
