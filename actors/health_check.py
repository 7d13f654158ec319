"""The job `health-check`."""

import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import dramatiq
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from callboard import cron
from callboard.actors import probes
from callboard.actors.alerting import alert, all_clear
from callboard.actors.breaker_care import tend_breakers
from callboard.actors.database import engine
from callboard.actors.probes import Finding
from callboard.core.errors import CallboardError
from callboard.core.hiding import hide
from callboard.core.logging import get_logger
from callboard.core.policies import HIGH
from callboard.core.settings import load_settings
from callboard.storage.uptime import store_check

log = get_logger(__name__)

#: Seconds that one question to Redis may take: the whole check has 30.
REDIS_TIMEOUT_S = 3
#: The kind of the alerts that stand for findings, and the finding whose parts have alerts of their own.
ALERT, TOLD = "health", "breakers"

_SEVERITY = {"degraded": "warning", "down": "critical"}


@dramatiq.actor(
    actor_name="health-check",
    description="Monitor system health and uptime",
    category="monitoring",
    periodic=cron("*/5 * * * *"),
    time_limit=30_000,
    max_retries=0,
    priority=HIGH,
    mutex=True,
)
def health_check() -> dict[str, Any]:
    """Probe every part of the system, add a row to the uptime log, and open or close alerts accordingly.

    Circuit breakers that no job names any more are closed.

    Returns:
        `processed`: how many probes there were; `failed`: how many found something amiss; `status`: healthy,
        degraded or down; `stored`: whether the uptime log has it; `checks`: what each probe found.
    """
    begun = time.perf_counter()
    broker: Any = dramatiq.get_broker()
    retry = Retry(NoBackoff(), 0)
    with redis.Redis.from_url(broker.url, socket_timeout=REDIS_TIMEOUT_S, retry=retry) as client:
        findings = examine(client, broker, load_settings().home)
    status = worst(findings)
    duration_ms = round((time.perf_counter() - begun) * 1000)
    return {
        "processed": len(findings),
        "failed": sum(finding.status != "healthy" for finding in findings.values()),
        "status": status,
        "stored": _store(status, duration_ms, findings),
        "checks": {name: asdict(finding) for name, finding in findings.items()},
    }


def examine(client: redis.Redis, broker: Any, home: Path) -> dict[str, Finding]:
    """What each probe finds. Those that need a server that does not answer are left out."""
    keys, timeout_ms = broker.keys, broker.heartbeat_timeout
    findings = {"disk": probes.probe_disk(home)}
    findings["redis"] = _safely("Redis", partial(probes.probe_redis, client))
    redis_answers = findings["redis"].status != "down"
    if redis_answers:
        findings["workers"] = _safely("Redis", partial(probes.probe_workers, client, keys, timeout_ms))
    findings["postgresql"] = _ask_database(probes.probe_postgresql)
    if findings["postgresql"].status != "down":
        findings["schedules"] = _ask_database(probes.probe_schedules)
        findings["outbox"] = _ask_database(probes.probe_outbox)
        if redis_answers:
            findings["stream"] = _ask_database(partial(probes.probe_stream, client=client, keys=keys))
            findings["breakers"] = _ask_database(partial(tend_breakers, client=client, keys=keys))
    return findings


def worst(findings: dict[str, Finding]) -> probes.Status:
    """The status of the whole: that of its worst part."""
    found = {finding.status for finding in findings.values()}
    return "down" if "down" in found else "degraded" if "degraded" in found else "healthy"


def _ask_database(probe: Callable[[Connection], Finding]) -> Finding:
    def ask() -> Finding:
        with engine().connect() as connection:
            return probe(connection)

    return _safely("PostgreSQL", ask)


def _safely(server: str, ask: Callable[[], Finding]) -> Finding:
    try:
        return ask()
    except CallboardError as error:
        return Finding("down", str(error))
    except (redis.RedisError, SQLAlchemyError) as error:
        cause = getattr(error, "orig", None) or error
        return Finding("down", f"{server} does not answer: {hide(str(cause)).splitlines()[0]}.")


def _store(status: str, duration_ms: int, findings: dict[str, Finding]) -> bool:
    checks = {name: asdict(finding) for name, finding in findings.items()}
    try:
        with engine().begin() as connection:
            store_check(connection, status, duration_ms, checks)
            for name, finding in findings.items():
                if finding.status == "healthy":
                    all_clear(connection, ALERT, name)
                elif name != TOLD:
                    severity = _SEVERITY[finding.status]
                    alert(connection, ALERT, name, finding.detail, severity=severity)
    except (CallboardError, SQLAlchemyError) as error:
        log.warning("The health check could not be stored.", action="check_not_stored", error=str(error))
        return False
    return True
