"""Whether this installation is well: each check asks one thing, and says what to do where it is not.

Nothing here raises: what cannot be asked is itself a finding.
"""

from collections.abc import Callable, Iterator

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from callboard.control.checkup import machine, parts
from callboard.control.checkup.finding import Finding, Status
from callboard.control.checkup.remote import examine_url
from callboard.control.checkup.services import services
from callboard.control.context import Context
from callboard.control.reads.readiness import check_postgresql, check_redis
from callboard.core.errors import CallboardError
from callboard.core.settings import Settings

__all__ = ["Finding", "Status", "examine", "examine_url"]

_PARTS: dict[str, Callable[[Context], Finding]] = {
    "Workers": parts.workers,
    "Scheduler": parts.schedulers,
    "Recorder": parts.recorder,
    "Slots": parts.slots,
    "Outbox": parts.outbox,
    "Alerts": parts.alerts,
}


def examine(settings: Settings) -> Iterator[Finding]:
    """The findings, one after the other as they are made."""
    yield machine.python()
    yield machine.instance(settings)
    yield machine.disk(settings)
    yield services(settings)
    with Context(settings, application_name="callboard doctor") as context:
        database = machine.reached("PostgreSQL", "DATABASE_URL", lambda: check_postgresql(context))
        yield database
        redis = machine.reached("Redis", "REDIS_URL", lambda: check_redis(context))
        yield redis
        if database.status != "ok":
            return
        schema = machine.schema(context)
        yield schema
        if schema.status == "ok" and redis.status == "ok":
            for name, check in _PARTS.items():
                yield _safely(name, check, context)


def _safely(name: str, check: Callable[[Context], Finding], context: Context) -> Finding:
    try:
        return check(context)
    except (CallboardError, RedisError, SQLAlchemyError) as error:
        return Finding(name, "fail", str(error).strip().splitlines()[0].rstrip("."))
