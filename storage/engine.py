"""Connections to PostgreSQL."""

from typing import Any

import orjson
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.engine import URL

DRIVER = "postgresql+psycopg"

#: Connections that one process keeps open, and how many more it may open in a rush.
POOL_SIZE = 5
POOL_OVERFLOW = 10
#: How long to wait for the server to answer a connection attempt.
CONNECT_TIMEOUT_S = 10
#: A server that a network has swallowed is given up after about so many seconds, not after a quarter of an
#: hour. (Over a unix socket these mean nothing.)
NETWORK: dict[str, Any] = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 11_000,
}
#: The server gives up a client in the same way, so that no lock of one outlives it for hours.
SERVER_NETWORK = " ".join(f"-c tcp_{name.removeprefix('tcp_')}={value}" for name, value in NETWORK.items())


def make_engine(
    url: str,
    *,
    read_only: bool = False,
    statement_timeout_ms: int | None = None,
    application_name: str = "callboard",
    pool_size: int = POOL_SIZE,
    autocommit: bool = False,
) -> Engine:
    """A pool of connections, whose sessions are in UTC.

    `url` may name a socket directory: `postgresql://user@/database?host=/directory`. A connection that
    died in the pool is replaced before it is handed out. `read_only` sessions refuse to write;
    `autocommit` ones commit each statement by itself.
    """
    options = ["-c timezone=UTC"]
    if statement_timeout_ms is not None:
        options.append(f"-c statement_timeout={statement_timeout_ms}")
    if read_only:
        options.append("-c default_transaction_read_only=on")
    settings: dict[str, Any] = {"isolation_level": "AUTOCOMMIT"} if autocommit else {}
    address = driver_url(url)
    given = address.query.get("options")
    if isinstance(given, str):
        options.insert(0, given)
    return create_engine(
        address,
        pool_size=pool_size,
        max_overflow=POOL_OVERFLOW,
        pool_pre_ping=True,
        json_serializer=_dumps,
        json_deserializer=_loads,
        connect_args={
            "application_name": application_name,
            "options": " ".join(options),
            "connect_timeout": CONNECT_TIMEOUT_S,
            **{name: value for name, value in NETWORK.items() if name not in address.query},
        },
        **settings,
    )


def driver_url(url: str) -> URL:
    """The URL with the driver that Callboard uses."""
    return make_url(url.replace("postgres://", "postgresql://", 1)).set(drivername=DRIVER)


def psycopg_url(url: str) -> str:
    """The URL as libpq and psycopg understand it, password included."""
    return driver_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _loads(value: str | bytes) -> Any:
    """The value of a JSON column; in place of one nested too deeply to be read, words that say so."""
    try:
        return orjson.loads(value)
    except ValueError:
        return "[cut: nested too deeply]"


def _dumps(value: object) -> str:
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
