"""Stock Periodiq's side of `bench.slots`: actors that are due every minute, on stock Dramatiq."""

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from periodiq import PeriodiqMiddleware, cron

broker = RedisBroker(url=os.environ["REDIS_URL"], namespace=os.environ["CALLBOARD_NAMESPACE"])
broker.add_middleware(PeriodiqMiddleware())
dramatiq.set_broker(broker)


def nothing() -> None:
    """Does nothing."""


for _number in range(int(os.environ["BENCH_SCHEDULES"])):
    dramatiq.actor(nothing, actor_name=f"job-{_number}", periodic=cron("* * * * *"))
