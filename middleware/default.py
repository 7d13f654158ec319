"""Makes Callboard's broker Dramatiq's default."""

import dramatiq.broker

from callboard.core.settings import Settings, load_settings
from callboard.middleware.breaker import BreakerSettings
from callboard.middleware.broker import Broker
from callboard.middleware.mutex import Mutex
from callboard.middleware.retries import Retries


def ensure_broker() -> None:
    """Set a broker made from the settings as Dramatiq's default, unless there is one already."""
    if dramatiq.broker.global_broker is None:
        dramatiq.set_broker(make_broker(load_settings()))


def make_broker(settings: Settings) -> Broker:
    """A broker on the Redis that the settings name. Nothing is connected until it is used."""
    broker = Broker(
        url=settings.redis_url or "redis://127.0.0.1:6379/0",
        namespace=settings.callboard_namespace,
        source=settings.callboard_actors,
        heartbeat_timeout=settings.callboard_worker_timeout,
        breaker=BreakerSettings(
            threshold=settings.circuit_breaker_failure_threshold,
            timeout=settings.circuit_breaker_timeout,
            window=settings.circuit_breaker_monitoring_window,
            recovers=settings.cron_enable_automatic_recovery,
        ),
    )
    for each in broker.middleware:
        if isinstance(each, Mutex):
            each.enabled = settings.cron_enable_duplicate_prevention
        elif isinstance(each, Retries):
            each.enabled = settings.cron_enable_automatic_recovery
    return broker
