"""The panel on a filled database, looked at by somebody of each role."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from callboard.control.auth import Role, add_user, local_principal, log_in
from callboard.core.settings import Settings, load_settings
from callboard.panel import access, home
from callboard.storage.embedded import EmbeddedServers
from helpers.databases import Databases
from helpers.panel_data import fill

APP = Path(home.__file__).resolve().parent / "app.py"
PASSWORD = "stage-left-42"
#: The name of somebody of each role.
PEOPLE = {Role.VIEWER: "vera", Role.OPERATOR: "otto", Role.ADMIN: "ada"}


@pytest.fixture(scope="session")
def panel_url(databases: Databases) -> Iterator[str]:
    """The database that all tests of the panel look at; what one of them changes, it changes back."""
    url = databases.fresh()
    yield url
    databases.drop(url)


@pytest.fixture(scope="session")
def filled(panel_url: str) -> datetime:
    """Three days of history in it; the moment they count back from."""
    return fill(panel_url, days=3)


@pytest.fixture(scope="session")
def panel_settings(
    panel_url: str, servers: EmbeddedServers, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    assert servers.valkey is not None
    return load_settings(
        {
            "DATABASE_URL": panel_url,
            "REDIS_URL": servers.valkey.url.replace("db=0", "db=4000"),
            "CALLBOARD_NAMESPACE": "panel",
            "CALLBOARD_HOME": str(tmp_path_factory.mktemp("home")),
        }
    )


@pytest.fixture(scope="session")
def tokens(panel_settings: Settings) -> Iterator[dict[Role, str]]:
    """A session of somebody of each role."""
    home.settle(panel_settings)
    found = {}
    for role, name in PEOPLE.items():
        add_user(home.context(), local_principal(), name, role, PASSWORD)
        found[role] = log_in(home.context(), name, PASSWORD, address="10.0.0.9").token
    yield found
    home.context().close()


@pytest.fixture
def look(tokens: dict[Role, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., AppTest]]:
    """Open a page as somebody: `look("views/job.py", Role.VIEWER, job="health-check")`."""

    def opened(page: str | None = None, role: Role | None = Role.ADMIN, **query: str) -> AppTest:
        monkeypatch.setattr(access, "token", lambda: tokens.get(role) if role else None)
        monkeypatch.setattr(access, "address", lambda: "10.0.0.9")
        at = AppTest.from_file(str(APP), default_timeout=30)
        if page is not None:
            at.run().switch_page(page)
        for name, value in query.items():
            at.query_params[name] = value
        return at.run()

    st.cache_resource.clear()
    yield opened
    st.cache_resource.clear()


@pytest.fixture
def database(panel_url: str) -> Iterator[psycopg.Connection]:
    """A connection to the panel's database, for what a test changes behind its back."""
    with psycopg.connect(panel_url, autocommit=True) as connection:
        yield connection
