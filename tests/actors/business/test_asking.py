"""Jobs that ask a service: nothing is locked, and no transaction open, while they wait for its answer."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, insert, text

from callboard.actors.providers.http import Service
from callboard.storage.tables.business import streamings
from helpers.competitors import add_coach, add_competitors
from helpers.sandboxed import Sandboxed, sandboxed

ASKING = (
    "process-streaming-video-queue",
    "game_platform_sync",
    "game_platform_totals_sweep",
    "sync-external-data",
    "fetch-paris-data",
)
OPEN = """
SELECT left(query, 80) FROM pg_stat_activity
 WHERE datname = current_database() AND application_name = 'callboard job' AND state <> 'idle'
"""


@pytest.fixture
def services(surroundings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandboxed]:
    with sandboxed() as sandbox:
        for name, value in sandbox.environ.items():
            monkeypatch.setenv(name, value)
        yield sandbox


@pytest.mark.parametrize("name", ASKING)
def test_nothing_is_locked_while_a_service_is_asked(
    surroundings: Any, services: Sandboxed, engine: Engine, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given something to ask about, and an eye on the database whenever a service is called
    coach = add_coach(engine)
    add_competitors(engine, coach, "Alan", platform_id="gp-alan", needs_totals_refresh=True)
    add_competitors(engine, coach, "Barbara")
    with engine.begin() as connection:
        connection.execute(insert(streamings), [{"external_id": "ready1"}])
    seen: list[list[str]] = []

    def look_and_send(service: Service, *request: Any) -> Any:
        with engine.begin() as connection:
            seen.append(list(connection.scalars(text(OPEN))))
            connection.execute(text("SELECT FROM business.streamings FOR UPDATE NOWAIT"))
            connection.execute(text("SELECT FROM business.competitors FOR UPDATE NOWAIT"))
        return send(service, *request)

    send = Service._send
    monkeypatch.setattr(Service, "_send", look_and_send)
    # When the job does its work
    surroundings.get_actor(name)()
    # Expect no transaction of its, and rows that anybody could lock
    assert seen
    assert [query for at_once in seen for query in at_once] == []


@pytest.mark.parametrize("name", ASKING)
def test_a_service_that_is_down_is_spared_and_bad_items_are_none_of_its_faults(
    surroundings: Any, name: str
) -> None:
    options = surroundings.get_actor(name).options

    assert options["breaker"] in ("cloudflare", "game-platform", "external", "open-meteo")
    assert "MostFailed" in [each.__name__ for each in options["throws"]]
