"""The module of an application that runs under Dramatiq's own command."""

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

dramatiq.set_broker(RedisBroker(url=os.environ["REDIS_URL"], namespace=os.environ["CALLBOARD_NAMESPACE"]))


@dramatiq.actor
def tick() -> None:
    """Do nothing."""
