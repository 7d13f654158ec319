"""Samples the queues, judges them now and then, and opens and closes alerts accordingly.

Every scheduler does so; the first one's samples count, and an alert is one row whoever finds the reason.
"""

from datetime import timedelta

from redis import Redis
from sqlalchemy import Engine

from callboard.core.health import job_alarms, queue_alarms
from callboard.core.health.alarms import KINDS
from callboard.core.keys import Keys
from callboard.core.settings import Settings
from callboard.scheduler.courier import Duty
from callboard.storage.alerts import NewAlert, open_alerts, resolve_others
from callboard.storage.queries.jobs import queues
from callboard.storage.queue_facts import load_facts, load_recent, thresholds
from callboard.storage.samples import EVERY_S, delete_old_samples, store_samples, take_samples

SAMPLE_EVERY = float(EVERY_S)


class QueueHealth:
    """What a scheduler knows of the queues' health."""

    def __init__(self, engine: Engine, client: Redis, settings: Settings) -> None:
        self._engine = engine
        self._client = client
        self._keys = Keys(settings.callboard_namespace)
        self._silence_ms = settings.callboard_worker_timeout
        self._limits = thresholds(settings)
        self._kept = timedelta(milliseconds=settings.queue_health_retention_period)
        self._tells = settings.cron_enable_alert_notifications

    def sample(self) -> None:
        """Keep a sample of every queue."""
        with self._engine.begin() as connection:
            names = queues(connection)
        found = take_samples(self._client, self._keys, names, self._silence_ms)
        with self._engine.begin() as connection:
            store_samples(connection, found)

    def judge(self) -> None:
        """Open alerts for what does badly, close those of what is over, and forget old samples."""
        with self._engine.begin() as connection:
            delete_old_samples(connection, self._kept)
            facts = load_facts(connection, self._client, self._keys, self._silence_ms)
            found = [alarm for each in facts for alarm in queue_alarms(each, self._limits)]
            found += job_alarms(load_recent(connection), self._limits)
            for kind in KINDS:
                alerts = [
                    NewAlert(each.subject, each.message, each.severity, each.details)
                    for each in found
                    if each.kind == kind
                ]
                if self._tells:
                    open_alerts(connection, kind, alerts)
                resolve_others(connection, kind, [each.subject for each in alerts])


def health_duties(engine: Engine, client: Redis, settings: Settings) -> list[Duty]:
    """What a scheduler has to do for the queues' health; nothing where the settings have it switched off."""
    if not settings.cron_enable_performance_monitoring:
        return []
    health = QueueHealth(engine, client, settings)
    return [
        Duty("samples", health.sample, SAMPLE_EVERY),
        Duty("health", health.judge, settings.queue_health_check_interval / 1000),
    ]
