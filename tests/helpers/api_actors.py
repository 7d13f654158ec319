"""Jobs for the tests of the API, worked on by real workers."""

import logging
import time

import dramatiq

log = logging.getLogger(__name__)


@dramatiq.actor(actor_name="quick", max_retries=0, category="test", description="Is done at once")
def quick(number: int = 1) -> dict[str, int]:
    """Returns what it was given."""
    log.info("quick was given %d", number)
    return {"processed": number, "failed": 0}


@dramatiq.actor(actor_name="broken", max_retries=0)
def broken() -> None:
    """Fails."""
    raise ValueError("the mail server said no")


@dramatiq.actor(actor_name="flaky", max_retries=1, min_backoff=50, max_backoff=50)
def flaky() -> None:
    """Fails, however often it is tried."""
    raise RuntimeError("not this time")


@dramatiq.actor(actor_name="limited", max_retries=0, time_limit=1_000)
def limited() -> None:
    """Takes longer than it may."""
    for _ in range(200):
        time.sleep(0.05)


@dramatiq.actor(actor_name="alone", max_retries=0, mutex=True)
def alone(seconds: float = 2.0) -> None:
    """Must not run twice at a time."""
    time.sleep(seconds)


@dramatiq.actor(actor_name="slow", max_retries=0)
def slow(seconds: float = 3.0) -> None:
    """Takes its time."""
    time.sleep(seconds)


@dramatiq.actor(
    actor_name="guarded", max_retries=0, breaker="mail-server", breaker_threshold=1, when_open="skip"
)
def guarded() -> None:
    """Fails, and has the dependency spared."""
    raise ConnectionError("no route to the mail server")


@dramatiq.actor(actor_name="bounded", max_retries=0, limit={"key": "tenant:{tenant}", "per_minute": 600})
def bounded(tenant: int = 7) -> None:
    """Counts among the tenant's runs of the minute."""
