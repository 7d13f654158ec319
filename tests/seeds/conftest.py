"""One whole system for each file: what the five systems' manuals print is typed into it."""

from collections.abc import Iterator

import pytest

from callboard.storage.embedded import EmbeddedServers
from helpers.databases import Databases
from helpers.system import System, own_surroundings, running_system


@pytest.fixture(scope="module")
def surroundings(
    servers: EmbeddedServers,
    databases: Databases,
    redis_database: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, str]]:
    """The environment of a system on servers that nobody else uses. A file may add to it."""
    with own_surroundings(servers, databases, redis_database, tmp_path_factory.mktemp("home")) as own:
        yield own


@pytest.fixture(scope="module")
def system(surroundings: dict[str, str]) -> Iterator[System]:
    """The running system."""
    with running_system(surroundings) as running:
        yield running
