"""Passes on at once what the fleet is to know; the scheduler does it within a second where this fails."""

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from callboard.control.context import Context
from callboard.core.errors import CallboardError
from callboard.core.logging import get_logger
from callboard.scheduler.switches import send_signals, sync_switches

log = get_logger(__name__)


def tell_fleet(context: Context) -> bool:
    """Pass on switches, pauses and ended runs. Returns whether that was possible."""
    try:
        sync_switches(context.writer, context.redis, context.keys)
        send_signals(context.writer, context.redis, context.keys)
    except (RedisError, OSError, SQLAlchemyError, CallboardError) as error:
        log.warning("The fleet is told later.", action="fleet_not_told", error=type(error).__name__)
        return False
    return True
