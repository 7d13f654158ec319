"""The actor that is measured: it does nothing. Declared on whichever broker the environment asks for."""

import os

import dramatiq

if os.environ.get("BENCH_BROKER") == "bare":
    from dramatiq.brokers.redis import RedisBroker

    dramatiq.set_broker(RedisBroker(url=os.environ["REDIS_URL"], namespace=os.environ["CALLBOARD_NAMESPACE"]))
else:
    import callboard

    _ = callboard.Broker


@dramatiq.actor(actor_name="noop", queue_name="bench")
def noop() -> None:
    """Do nothing."""
