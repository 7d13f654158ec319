"""What reads and actions work with: two database engines, the broker and the settings, opened on first use.

One context serves a whole process: it is safe to share between threads.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from types import TracebackType
from typing import Self

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from callboard.control.attempts import Attempts
from callboard.core.errors import BadSettings, Unavailable
from callboard.core.keys import Keys
from callboard.core.settings import Settings
from callboard.middleware.broker import Broker
from callboard.storage.engine import make_engine

#: A read that takes longer than this is ended by the server.
READ_TIMEOUT_MS = 5_000
#: So is a statement of an action.
WRITE_TIMEOUT_MS = 10_000
#: SQLSTATEs of a table, column, function or schema that does not exist: the schema is older than the code.
SCHEMA_STATES = frozenset({"42P01", "42703", "42883", "3F000"})


class Context:
    """Everything that a face needs to reach the system. Nothing is connected before it is used."""

    def __init__(self, settings: Settings, *, application_name: str = "callboard") -> None:
        self.settings = settings
        self.application_name = application_name

    @cached_property
    def reader(self) -> Engine:
        """The engine for reads: its transactions are read only."""
        return make_engine(
            self._database_url(),
            read_only=True,
            statement_timeout_ms=READ_TIMEOUT_MS,
            application_name=self.application_name,
        )

    @cached_property
    def writer(self) -> Engine:
        """The engine for actions."""
        return make_engine(
            self._database_url(),
            statement_timeout_ms=WRITE_TIMEOUT_MS,
            application_name=self.application_name,
        )

    @cached_property
    def broker(self) -> Broker:
        """The broker that messages are sent with."""
        if not self.settings.redis_url:
            raise BadSettings("No Redis is named: set REDIS_URL, or start `callboard up` in this home.")
        return Broker(url=self.settings.redis_url, namespace=self.settings.callboard_namespace)

    @cached_property
    def attempts(self) -> Attempts:
        """The wrong tokens that this process was shown of late."""
        return Attempts()

    @property
    def redis(self) -> Redis:
        """The broker's own Redis client."""
        return self.broker.client

    @property
    def keys(self) -> Keys:
        """The names of the keys in Redis."""
        return Keys(self.settings.callboard_namespace)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading, its work seen as of one transaction.

        Raises:
            Unavailable: PostgreSQL does not answer, or its schema is older than this program.
        """
        with reaching_postgresql(), self.reader.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: committed when the block ends, rolled back when it raises.

        Raises:
            Unavailable: PostgreSQL does not answer, or its schema is older than this program.
        """
        with reaching_postgresql(), self.writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close what was opened."""
        opened = vars(self)
        for name in ("reader", "writer"):
            if name in opened:
                opened.pop(name).dispose()
        if "broker" in opened:
            opened.pop("broker").close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _database_url(self) -> str:
        if not self.settings.database_url:
            raise BadSettings("No database is named: set DATABASE_URL, or start `callboard up` in this home.")
        return self.settings.database_url


@contextmanager
def reaching_postgresql() -> Iterator[None]:
    """Say in one sentence that PostgreSQL is away or its schema out of date."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise Unavailable(_sentence("PostgreSQL", error)) from error
    except PoolTimeoutError as error:
        raise Unavailable("PostgreSQL is busy: no connection became free in time; try again.") from error
    except ProgrammingError as error:
        if _sqlstate(error) in SCHEMA_STATES:
            raise Unavailable("The database's schema is out of date; run `callboard migrate`.") from error
        raise


@contextmanager
def reaching_redis() -> Iterator[None]:
    """Say in one sentence that Redis is away."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise Unavailable(f"Redis does not answer ({type(error).__name__}); is it running?") from error


def _sqlstate(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)


def _sentence(server: str, error: DBAPIError) -> str:
    if _sqlstate(error) == "57014":
        return f"{server} took too long to answer; try a shorter time range."
    first = (
        str(error.orig or error).strip().splitlines()[0] if str(error.orig or error).strip() else "no answer"
    )
    # libpq names user and host, never the password, but a connection string may be echoed on a parse error.
    return f"{server} does not answer ({re.sub(r'://[^@ ]*@', '://', first)[:200]}); is it running?"
