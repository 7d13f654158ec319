"""Samples the queues, judges them now and then, and opens and closes alerts accordingly.

Every scheduler does so; the first one's samples count, and an alert is one row whoever finds the reason.
"""

from datetime import timedelta

from redis import Redis
from sqlalchemy import Connection, Engine

from callboard.core.health import Alarm, burn_alarms, job_alarms, one_for_each_cause, queue_alarms
from callboard.core.health.alarms import KINDS, OF_JOBS
from callboard.core.health.together import Opened, errors_of, one_for_all
from callboard.core.keys import Keys
from callboard.core.settings import Settings
from callboard.scheduler.courier import Duty
from callboard.storage.alerts import NewAlert, may_judge, opened_alerts, settle_alerts, silenced
from callboard.storage.queries.jobs import queues
from callboard.storage.queue_facts import (
    excused_jobs,
    load_facts,
    load_failures,
    load_recent,
    load_tallies,
    thresholds,
)
from callboard.storage.samples import (
    EVERY_S,
    delete_old_samples,
    store_samples,
    sum_sample_hours,
    take_samples,
)

SAMPLE_EVERY = float(EVERY_S)
#: The time that is looked through for samples that were not added to their hours.
CAUGHT_UP = timedelta(days=1)


class QueueHealth:
    """What a scheduler knows of the queues' health."""

    def __init__(self, engine: Engine, client: Redis, settings: Settings) -> None:
        self._engine = engine
        self._client = client
        self._keys = Keys(settings.callboard_namespace)
        self._silence_ms = settings.callboard_worker_timeout
        self._limits = thresholds(settings)
        self._objective = settings.callboard_success_objective
        self._kept = timedelta(milliseconds=settings.queue_health_retention_period)
        self._summed = False
        self._tells = settings.cron_enable_alert_notifications

    def sample(self) -> None:
        """Keep a sample of every queue."""
        with self._engine.begin() as connection:
            names = queues(connection)
            if not self._summed:
                # A scheduler of an earlier version may have kept samples since the database was upgraded.
                sum_sample_hours(connection, CAUGHT_UP)
        self._summed = True
        found = take_samples(self._client, self._keys, names, self._silence_ms)
        with self._engine.begin() as connection:
            store_samples(connection, found)

    def judge(self) -> None:
        """Open alerts for what does badly, close those of what is over, and forget old samples."""
        with self._engine.begin() as connection:
            delete_old_samples(connection, self._kept)
            if not may_judge(connection, "health"):
                return
            opened = opened_alerts(connection, KINDS)
            found = self._together(connection, self._alarms(connection, opened), opened)
            for kind in KINDS:
                alerts = [
                    NewAlert(each.subject, each.message, each.severity, each.details)
                    for each in found
                    if each.kind == kind
                ]
                settle_alerts(connection, kind, alerts, opening=self._tells)

    def _together(self, connection: Connection, alarms: list[Alarm], opened: Opened) -> list[Alarm]:
        """What is found of one queue or job, or of several for one cause, is one alarm.

        What nobody is to be told of stays by itself.
        """
        found = one_for_each_cause(alarms, opened)
        quiet = silenced(connection, [(each.kind, each.subject) for each in found])
        loud = [each for each in found if (each.kind, each.subject) not in quiet]
        failing = {each.subject for each in loud if each.kind in OF_JOBS}
        errors = errors_of(load_failures(connection, failing))
        return [*one_for_all(loud, opened, errors), *(each for each in found if each not in loud)]

    def _alarms(self, connection: Connection, opened: Opened) -> list[Alarm]:
        found = [
            *job_alarms(load_recent(connection), self._limits),
            *burn_alarms(load_tallies(connection), self._objective),
        ]
        known = [{subject, *members} for (kind, subject), members in opened.items() if kind in OF_JOBS]
        excused = excused_jobs(connection).difference(*known)
        told = {each.subject for each in found} | excused
        found = [each for each in found if each.subject not in excused]
        for facts in load_facts(connection, self._client, self._keys, self._silence_ms):
            found += queue_alarms(facts, self._limits, told)
        return found


def health_duties(engine: Engine, client: Redis, settings: Settings) -> list[Duty]:
    """What a scheduler has to do for the queues' health; nothing where the settings have it switched off."""
    if not settings.cron_enable_performance_monitoring:
        return []
    health = QueueHealth(engine, client, settings)
    return [
        Duty("samples", health.sample, SAMPLE_EVERY),
        Duty("health", health.judge, settings.queue_health_check_interval / 1000),
    ]
