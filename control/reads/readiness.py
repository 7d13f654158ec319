"""Whether the servers that everything needs answer, each asked by itself."""

from collections.abc import Callable

from callboard.control.context import Context, reaching_redis
from callboard.core.errors import Unavailable
from callboard.storage.migrate import is_current
from callboard.storage.queries import audit as queries


def check_postgresql(context: Context) -> None:
    """Raise Unavailable unless PostgreSQL answers."""
    with context.read() as connection:
        queries.now(connection)


def check_redis(context: Context) -> None:
    """Raise Unavailable unless Redis answers."""
    with reaching_redis():
        context.redis.ping()


def check_schema(context: Context) -> None:
    """Raise Unavailable unless the database's schema is the one that this program was written for."""
    with context.read():
        pass
    if not is_current(context.settings.database_url):
        raise Unavailable("The database's schema is out of date; run `callboard migrate`.")


#: What must be well for requests to be served, by name.
CHECKS: dict[str, Callable[[Context], None]] = {
    "postgresql": check_postgresql,
    "schema": check_schema,
    "redis": check_redis,
}
