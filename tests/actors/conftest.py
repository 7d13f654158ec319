"""The environment that a job of Callboard's own finds in a worker."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from helpers.customers import AddCustomer, customer_adder


@pytest.fixture
def surroundings(
    broker: Any,
    database_url: str,
    redis_url: str,
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
) -> Iterator[Any]:
    """The settings name the test's own servers; the broker has all actors."""
    from callboard.actors import database
    from helpers.declared import declare_actors

    for name, value in {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "CALLBOARD_NAMESPACE": namespace,
        "CALLBOARD_HOME": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    declare_actors(broker)
    yield broker
    database.engine().dispose()
    database._pool.cache_clear()


@pytest.fixture
def add_customer(engine: Engine) -> AddCustomer:
    """Adds a customer who has consented to everything, with these columns otherwise. Returns the id."""
    return customer_adder(engine)
