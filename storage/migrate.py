"""Brings a database to the schema of this version of Callboard.

First Alembic's migrations make and alter the tables, then the files of `storage/sql` (re)create the
functions, views and triggers over them, then the partitions of the coming weeks are made: all in one
transaction under one lock, so that any number of processes may do it at once and none sees half of it.
A fingerprint of all that SQL is left in the database: where it matches there is nothing to do, and
finding that out takes one query.
"""

import hashlib
import logging
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from callboard.core.errors import Conflict, Unavailable
from callboard.storage.engine import CONNECT_TIMEOUT_S, driver_url
from callboard.storage.sql_files import SQL, apply_sql_files
from callboard.storage.tables import SCHEMA, business

logger = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('callboard.migrate', 0))")


def migrate(url: str) -> None:
    """Bring the database up to date; return at once if it is.

    Raises:
        Unavailable: the server does not answer, or refuses the login.
        Conflict: a newer Callboard has migrated the database.
    """
    with _connected(url) as connection:
        if _fingerprint_of(connection) == fingerprint():
            return
        with connection.begin():
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(_LOCK)
            if _fingerprint_of(connection) == fingerprint():
                return
            for schema in (SCHEMA, business.SCHEMA):
                connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
            _upgrade_tables(connection)
            apply_sql_files(connection)
            connection.execute(text("SELECT callboard.ensure_partitions()"))
            connection.execute(
                text(
                    f"INSERT INTO {SCHEMA}.schema_state (name, value) VALUES ('fingerprint', :value)"
                    " ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = now()"
                ),
                {"value": fingerprint()},
            )
        logger.info("The database is migrated.", extra={"action": "migrated"})


def is_current(url: str) -> bool:
    """Whether the database has the schema of this version of Callboard.

    Raises:
        Unavailable: the server does not answer, or refuses the login.
    """
    with _connected(url) as connection:
        return _fingerprint_of(connection) == fingerprint()


@cache
def fingerprint() -> str:
    """The hash of all SQL that makes the schema."""
    digest = hashlib.sha256()
    for path in sorted([*MIGRATIONS.glob("versions/*.py"), *SQL.glob("*/*.sql")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _connected(url: str) -> Connection:
    engine = create_engine(
        driver_url(url),
        poolclass=NullPool,
        connect_args={"application_name": "callboard migrate", "connect_timeout": CONNECT_TIMEOUT_S},
    )
    try:
        return engine.connect()
    except OperationalError as error:
        where = driver_url(url).set(drivername="postgresql").render_as_string(hide_password=True)
        lines = [line.strip() for line in str(error.orig).splitlines()]
        why = " ".join(line for line in lines if not line.endswith("?")).strip().rstrip(".")
        raise Unavailable(f"PostgreSQL at {where} cannot be used ({why}); check DATABASE_URL.") from error


def _fingerprint_of(connection: Connection) -> str | None:
    try:
        with connection.begin_nested() if connection.in_transaction() else connection.begin():
            found = connection.scalar(
                text(f"SELECT value FROM {SCHEMA}.schema_state WHERE name = 'fingerprint'")
            )
    except ProgrammingError:
        return None
    return None if found is None else str(found)


def _upgrade_tables(connection: Connection) -> None:
    # Imported late: a process that finds the database current, as nearly all do, has no need of it.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        if "locate revision" not in str(error):
            raise
        raise Conflict(
            "The database was migrated by a newer version of Callboard; start that version, or name another"
            " database in DATABASE_URL."
        ) from error
