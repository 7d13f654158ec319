"""The panel on a filled database, looked at by somebody of each role."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
import streamlit as st
from playwright.sync_api import Browser
from streamlit.testing.v1 import AppTest

from callboard.control.auth import Role, add_user, local_principal, log_in
from callboard.core.settings import Settings, load_settings
from callboard.panel import access, home
from callboard.storage.embedded import EmbeddedServers
from helpers.browser import RunningPanel, Visitor, open_browser
from helpers.databases import Databases
from helpers.fleets import SILENT_FOR_LONG
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
    ).model_copy(update=SILENT_FOR_LONG)


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
        at = AppTest.from_file(str(APP), default_timeout=90)
        if page is not None:
            at.run().switch_page(page)
        for name, value in query.items():
            at.query_params[name] = value
        return at.run()

    # What a search finds is not to depend on how busy the machine is.
    monkeypatch.setattr("callboard.panel.loaders.AT_ONCE_S", 20.0)
    st.cache_resource.clear()
    yield opened
    st.cache_resource.clear()


@pytest.fixture
def database(panel_url: str) -> Iterator[psycopg.Connection]:
    """A connection to the panel's database, for what a test changes behind its back."""
    with psycopg.connect(panel_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def panel(panel_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPanel]:
    environ = {
        "DATABASE_URL": panel_settings.database_url,
        "REDIS_URL": panel_settings.redis_url,
        "CALLBOARD_NAMESPACE": panel_settings.callboard_namespace,
        "CALLBOARD_HOME": str(panel_settings.home),
    }
    with RunningPanel(environ, tmp_path_factory.mktemp("panel")) as running:
        yield running
    assert running.exit_code == 0, running.log.read_text()


@pytest.fixture
def visit(browser: Browser, panel: RunningPanel) -> Iterator[Callable[[], Visitor]]:
    """A new visitor; whatever they did, nothing was fetched from anywhere but the panel."""
    made: list[Visitor] = []

    def another() -> Visitor:
        context = browser.new_context(
            viewport={"width": 1600, "height": 1000}, timezone_id="Europe/Paris", locale="en-GB"
        )
        made.append(Visitor(context, panel.url))
        return made[-1]

    yield another
    outside = [url for visitor in made for url in visitor.outside]
    for visitor in made:
        visitor.context.close()
    assert outside == []
