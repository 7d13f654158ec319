"""The API on a real socket, a client with an admin's token, and a fleet that works on what is sent."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from pydantic import SecretStr

from callboard.control.auth import Principal, Role, add_token
from callboard.control.context import Context
from callboard.core.settings import Settings
from helpers.serving import serving

TOKEN = "api-token-for-tests"
CRON_SECRET = "cron-secret-for-tests"


@pytest.fixture
def api_settings(settings: Settings) -> Settings:
    """The test's settings, with the two static tokens."""
    return settings.model_copy(
        update={"callboard_api_token": SecretStr(TOKEN), "cron_secret": SecretStr(CRON_SECRET)}
    )


@pytest.fixture
def url(api_settings: Settings) -> Iterator[str]:
    """Where the API is."""
    with serving(api_settings) as address:
        yield address


@pytest.fixture
def api(url: str) -> Iterator[httpx.Client]:
    """A client with an admin's token."""
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30) as client:
        yield client


@pytest.fixture
def api_as(url: str, settings: Settings) -> Iterator[Callable[[str], httpx.Client]]:
    """Makes a client whose token has the role."""
    clients = []
    with Context(settings) as context:

        def make(role: str) -> httpx.Client:
            token = add_token(context, Principal("ada", Role.ADMIN, "cli"), f"a {role}", Role(role))
            client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
            clients.append(client)
            return client

        yield make
    for client in clients:
        client.close()
