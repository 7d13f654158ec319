"""A context on the test's own servers, and somebody of each role."""

from collections.abc import Iterator

import pytest

from callboard.control.auth import Principal, Role
from callboard.control.context import Context
from callboard.core.settings import Settings


@pytest.fixture
def context(settings: Settings) -> Iterator[Context]:
    with Context(settings) as made:
        yield made


@pytest.fixture
def viewer() -> Principal:
    return Principal("vera", Role.VIEWER, "panel", "10.0.0.1")


@pytest.fixture
def operator() -> Principal:
    return Principal("otto", Role.OPERATOR, "panel", "10.0.0.2")


@pytest.fixture
def admin() -> Principal:
    return Principal("ada", Role.ADMIN, "cli")
