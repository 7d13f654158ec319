"""Real servers for every test: one PostgreSQL and one Valkey a session, one database a test."""

import os
from collections.abc import Generator, Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from callboard.core.settings import Settings, load_settings
from callboard.storage.embedded import EmbeddedServers
from helpers.databases import Databases
from helpers.homes import memory, short_folder

if TYPE_CHECKING:
    import redis
    import sqlalchemy

# The width of a terminal that nothing here writes to, as pytest-xdist hands it on to its workers.
os.environ.pop("COLUMNS", None)

# How long an example takes says more of the machine than of the code.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

_numbers = count(1)

#: The servers of the session live no longer than it does; tests of durability start their own.
_FORGETFUL = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
}
_MANY = {"databases": "4096", "appendonly": "no"}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let what a test printed or logged be sent to the process that reports it, lone surrogates included."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "replace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(scope="session")
def servers() -> Iterator[EmbeddedServers]:
    """The session's own PostgreSQL and Valkey."""
    with short_folder(memory()) as folder:
        embedded = EmbeddedServers(folder / "home", postgres_options=_FORGETFUL, valkey_options=_MANY)
        with embedded:
            yield embedded


@pytest.fixture(scope="session")
def databases(servers: EmbeddedServers) -> Databases:
    """Makes and drops databases: `fresh()` is a migrated one, `empty()` has nothing in it."""
    return Databases(servers.database_url)


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """A migrated database of the test's own."""
    url = databases.fresh()
    yield url
    databases.drop(url)


@pytest.fixture(scope="module")
def module_database_url(databases: Databases) -> Iterator[str]:
    """A migrated database shared by the tests of one file, for what is slow to fill."""
    url = databases.fresh()
    yield url
    databases.drop(url)


@pytest.fixture
def engine(database_url: str) -> Iterator["sqlalchemy.Engine"]:
    """An engine on the test's own database."""
    from callboard.storage.engine import make_engine

    made = make_engine(database_url)
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def redis_database() -> int:
    """The number of an empty Redis database that no other test has used, for the tests of one file."""
    return next(_numbers)


@pytest.fixture
def redis_url(servers: EmbeddedServers) -> Iterator[str]:
    """An empty Redis database that no other test has used, so that a straggler of another test harms none."""
    import redis

    url = servers.redis_url.replace("db=0", f"db={next(_numbers)}")
    yield url
    with redis.Redis.from_url(url) as client:
        client.flushdb()


@pytest.fixture
def redis_client(redis_url: str) -> Iterator["redis.Redis"]:
    """A client of the test's own Redis database; answers are bytes."""
    import redis

    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def namespace() -> str:
    """A broker namespace of the test's own: publish and subscribe know no database numbers."""
    return f"test{next(_numbers)}"


@pytest.fixture
def broker(redis_url: str, namespace: str) -> Iterator[Any]:
    """Callboard's broker on the test's own Redis database, as Dramatiq's global broker."""
    import dramatiq.broker

    from callboard.middleware.broker import Broker

    before = dramatiq.broker.global_broker
    made = Broker(url=redis_url, namespace=namespace)
    dramatiq.set_broker(made)
    yield made
    made.close()
    dramatiq.broker.global_broker = before


@pytest.fixture
def settings(
    database_url: str, redis_url: str, namespace: str, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """Settings that name the test's own database, Redis, namespace and home."""
    return load_settings(
        {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "CALLBOARD_NAMESPACE": namespace,
            "CALLBOARD_HOME": str(tmp_path_factory.mktemp("home")),
        }
    )
