"""Runs the SQL commands of schedules, each on a connection of its own that logs in as a role of its own.

That role has no rights on Callboard's tables (`callboard.sql_role`). It logs in, and is not merely taken on:
whatever a command sets, defers to its commit or leaves behind is done with that role's rights and no others.
"""

import selectors
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

import psycopg
from psycopg import pq
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from callboard.core.errors import CallboardError, NotFound, Unavailable
from callboard.core.limits import MAX_ERROR, cut
from callboard.core.logging import get_logger
from callboard.storage.engine import CONNECT_TIMEOUT_S, NETWORK, driver_url

log = get_logger(__name__)

#: Seconds past its limit after which a command that the server could not end by that loses its connection.
GRACE_S = 2.0

_KNOWN = text("""
SELECT count(*)
  FROM callboard.schedules
 WHERE job_name = 'run-sql' AND kwargs ->> 'name' = :name AND kwargs ->> 'command' = :command
""")
_LOGIN = text("SELECT name, password FROM callboard.sql_role(:renew)")
_TERMINATE = text("SELECT pg_terminate_backend(:pid)")

_BUSY = (pq.TransactionStatus.ACTIVE, pq.TransactionStatus.INTRANS, pq.TransactionStatus.INERROR)
_COPIES = (pq.ExecStatus.COPY_IN, pq.ExecStatus.COPY_OUT, pq.ExecStatus.COPY_BOTH)


class CommandFailed(CallboardError):
    """The command ended with an error; the message is the server's."""


class Outcome(NamedTuple):
    """What a command did: the words of its last statement, and the server process that it ran in."""

    message: str
    pid: int


def run_command(engine: Engine, url: str, name: str, command: str, timeout_s: float) -> Outcome:
    """Run the command of a schedule, and wait for its end.

    Parameters:
        engine: of the owner, for looking the schedule up and for ending the command.
        url: of the same database.
        timeout_s: seconds that each of its statements, and about as many that all of them, may take.

    Raises:
        NotFound: no schedule of that name has this command.
        Unavailable: the role of commands cannot log in.
        CommandFailed: the command did not succeed. Nothing of it stays, but for what it committed by itself.
    """
    with engine.begin() as connection:
        if not connection.execute(_KNOWN, {"name": name, "command": command}).scalar_one():
            raise NotFound(
                f"No schedule {name} has this command; only what cron.schedule() was given runs as SQL."
            )
    with _session(engine, url, name, timeout_s) as session:
        pid = session.info.backend_pid
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            _end(engine, pid)

        watch = threading.Timer(timeout_s + GRACE_S, expire)
        watch.daemon = True
        watch.start()
        try:
            return Outcome(_execute(session.pgconn, command), pid)
        except psycopg.OperationalError as error:
            said = f"The command was ended after {timeout_s + GRACE_S:g} seconds." if expired.is_set() else ""
            raise CommandFailed(said or _words(error)) from None
        finally:
            watch.cancel()
            if session.pgconn.transaction_status in _BUSY:
                # Such as an interrupted job: closing alone would let the server go on to the statement's end.
                _end(engine, pid)


@contextmanager
def _session(engine: Engine, url: str, name: str, timeout_s: float) -> Iterator[psycopg.Connection]:
    for renew in (False, True):
        with engine.begin() as connection:
            role, password = connection.execute(_LOGIN, {"renew": renew}).one()
        address = driver_url(url).set(drivername="postgresql", username=role, password=password)
        given = address.query.get("options")
        options = f"-c timezone=UTC -c statement_timeout={int(timeout_s * 1000)}"
        try:
            session = psycopg.connect(
                address.difference_update_query(["options"]).render_as_string(hide_password=False),
                autocommit=True,
                application_name=f"callboard sql: {name}",
                client_encoding="utf8",
                connect_timeout=CONNECT_TIMEOUT_S,
                options=f"{given} {options}" if isinstance(given, str) else options,
                **NETWORK,
            )
        except psycopg.OperationalError as error:
            if renew or "password" not in str(error):
                raise Unavailable(
                    f"SQL commands log in as the role {role}, which PostgreSQL does not let in"
                    f" ({_words(error)}); allow it in pg_hba.conf, or in the pooler in between."
                ) from None
            continue
        session.add_notice_handler(_tell)
        with closing(session):
            yield session
        return


def _execute(connection: pq.abc.PGconn, command: str) -> str:
    """Run one or several statements, however many rows they return; keep none. The words of the last one."""
    with selectors.DefaultSelector() as selector:
        connection.send_query(command.encode())
        selector.register(connection.socket, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while connection.flush():
            selector.select()
            connection.consume_input()
        selector.modify(connection.socket, selectors.EVENT_READ)
        connection.set_single_row_mode()
        said, rows, error = "", 0, ""
        while True:
            while connection.is_busy():
                selector.select(0.5)
                connection.consume_input()
            result = connection.get_result()
            if result is None:
                if error:
                    raise CommandFailed(cut(error, MAX_ERROR))
                return said
            if result.status == pq.ExecStatus.SINGLE_TUPLE:
                rows += 1
            elif result.status == pq.ExecStatus.TUPLES_OK:
                said, rows = f"{rows} row{'s' * (rows != 1)}", 0
            elif result.status == pq.ExecStatus.COMMAND_OK:
                said = (result.command_status or b"").decode()
            elif result.status in _COPIES:
                raise CommandFailed("A command cannot COPY from or to a client; there is none.")
            elif result.status == pq.ExecStatus.FATAL_ERROR:
                error = (result.error_message or b"").decode(errors="replace").strip()


def _end(engine: Engine, pid: int) -> None:
    try:
        with engine.begin() as connection:
            connection.execute(_TERMINATE, {"pid": pid})
    except SQLAlchemyError as error:
        log.warning("A command could not be ended.", action="command_left", pid=pid, error=str(error))


def _tell(notice: psycopg.errors.Diagnostic) -> None:
    log.info(notice.message_primary or "", action="sql_notice", severity=notice.severity)


def _words(error: psycopg.Error) -> str:
    return " ".join(str(error).split()).rstrip(".")
