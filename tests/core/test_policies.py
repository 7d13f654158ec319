"""What jobs of one kind have in common, as the fifth system's manual promises it."""

from typing import Any

import dramatiq
import pytest

from callboard.core.backoff import parse_backoff
from callboard.core.policies import ANALYTICS, DATA_FETCH, HIGH, LOW, NORMAL, NOTIFICATIONS
from callboard.middleware.declare import describe_actors


def longest() -> float:
    return 0.0


@pytest.mark.parametrize(
    ("policy", "attempts", "delays"),
    [
        (DATA_FETCH, 3, [5_000, 10_000]),
        (ANALYTICS, 2, [10_000]),
        (NOTIFICATIONS, 5, [15_000, 30_000, 60_000, 120_000]),
    ],
)
def test_a_policy_has_its_attempts_and_its_pauses(
    policy: dict[str, Any], attempts: int, delays: list[int], broker: Any
) -> None:
    dramatiq.actor(lambda: None, actor_name="job", broker=broker, **policy)

    (job,) = (job for job in describe_actors(broker) if job["name"] == "job")

    assert job["max_attempts"] == attempts
    backoff = parse_backoff(policy["backoff"])
    assert [backoff.delay_ms(retry, longest) for retry in range(1, attempts)] == delays


def test_what_a_job_says_beside_its_policy_holds(broker: Any) -> None:
    dramatiq.actor(lambda: None, actor_name="job", broker=broker, **DATA_FETCH | {"max_retries": 7})

    (job,) = (job for job in describe_actors(broker) if job["name"] == "job")

    assert job["max_attempts"] == 8


def test_the_lowest_priority_goes_first_and_the_normal_one_is_dramatiqs(broker: Any) -> None:
    assert HIGH < NORMAL < LOW
    assert dramatiq.actor(lambda: None, actor_name="job", broker=broker).priority == NORMAL
