"""A sandbox of the test's own."""

from collections.abc import Iterator

import httpx
import pytest

from helpers.sandboxed import Sandboxed, sandboxed


@pytest.fixture
def sandbox() -> Iterator[Sandboxed]:
    """Running, on free ports."""
    with sandboxed() as running:
        yield running


@pytest.fixture
def client(sandbox: Sandboxed) -> Iterator[httpx.Client]:
    """Calls it with its token."""
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    with httpx.Client(base_url=sandbox.url, headers=headers, trust_env=False, timeout=20) as calls:
        yield calls
