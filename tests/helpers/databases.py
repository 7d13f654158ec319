"""Databases for tests: a migrated template, cloned for each test that asks."""

from importlib.util import find_spec
from itertools import count
from urllib.parse import urlsplit

import psycopg
from psycopg import sql


class Databases:
    """Makes and drops databases on one server, named by the URL of any database there."""

    def __init__(self, url: str) -> None:
        self._server = url
        self._numbers = count(1)
        self._template: str | None = None

    def fresh(self) -> str:
        """The URL of a new database with the migrated schema."""
        if self._template is None:
            url = self.empty()
            _migrate(url)
            self._template = _name(url)
        return self._create(self._template)

    def empty(self) -> str:
        """The URL of a new database with nothing in it."""
        return self._create("template0")

    def drop(self, url: str) -> None:
        """Drop a database, ending whatever is connected to it."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(_name(url))))

    def _create(self, template: str) -> str:
        name = f"test_{next(self._numbers)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        self._run(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return urlsplit(self._server)._replace(path=f"/{name}").geturl()

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(statement)


def _name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


def _migrate(url: str) -> None:
    if find_spec("callboard.storage.migrate") is None:
        return
    from callboard.storage.migrate import migrate

    migrate(url)
