"""One whole system for each file: what the five systems' manuals print is typed into it."""

from collections.abc import Iterator

import pytest

from callboard.storage.embedded import EmbeddedServers
from helpers.databases import Databases
from helpers.system import System, running_system


@pytest.fixture(scope="module")
def surroundings(
    servers: EmbeddedServers,
    databases: Databases,
    redis_database: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, str]]:
    """The environment of a system on servers that nobody else uses. A file may add to it."""
    url = databases.fresh()
    yield {
        "DATABASE_URL": url,
        "REDIS_URL": servers.redis_url.replace("db=0", f"db={redis_database}"),
        "CALLBOARD_NAMESPACE": f"seeds{redis_database}",
        "CALLBOARD_HOME": str(tmp_path_factory.mktemp("home")),
    }
    databases.drop(url)


@pytest.fixture(scope="module")
def system(surroundings: dict[str, str]) -> Iterator[System]:
    """The running system."""
    with running_system(surroundings) as running:
        yield running
