"""Who is welcomed with made-up data, and who is not."""

from typing import Any

import pytest

from callboard.control.actions import demo
from callboard.control.supervisor import newcomer
from callboard.control.supervisor.newcomer import WarmUp, fill, welcomed
from callboard.core.settings import load_settings
from helpers.declared import declare_actors

NOWHERE = {"CALLBOARD_HOME": "/nowhere"}
BOTH = ("PostgreSQL", "Valkey")
#: Callboard's own: what operators and SQL ask for, and what fires every half minute.
NOT_SHOWN = {"bulk-runs", "dead-letters", "run-sql", "heartbeat"}
#: The full sync sends both of them.
SENT = {"game_platform_sync", "game_platform_totals_sweep"}


def test_a_start_with_nothing_real_around_it_is_welcomed() -> None:
    assert welcomed(load_settings(NOWHERE), BOTH, sandbox=True)


@pytest.mark.parametrize(
    "given",
    [
        {"CALLBOARD_DEMO": "False"},
        {"CALLBOARD_ACTORS": "callboard.actors"},
        {"WHATSAPP_TOKEN": "real"},
        {"CLOUDFLARE_STREAM_API_TOKEN": "real"},
        {"OPEN_METEO_URL": "https://air-quality-api.open-meteo.com"},
        {"GAME_PLATFORM_TOKEN": "real"},
        {"EXTERNAL_TOKEN": "real"},
        {"SMTP_URL": "smtp://mail.example.com"},
    ],
)
def test_whoever_has_something_real_or_does_not_want_it_is_not(given: dict[str, str]) -> None:
    assert not welcomed(load_settings(NOWHERE | given), BOTH, sandbox=True)


@pytest.mark.parametrize("embedded", [(), ("PostgreSQL",), ("Valkey",)])
def test_servers_of_somebody_elses_are_left_alone(embedded: tuple[str, ...]) -> None:
    assert not welcomed(load_settings(NOWHERE), embedded, sandbox=True)


def test_without_a_sandbox_nothing_is_made_up() -> None:
    assert not welcomed(load_settings(NOWHERE), BOTH, sandbox=False)


def test_data_are_made_up_once_and_never_again_after_they_were_removed(
    context: Any, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newcomer, "CUSTOMERS", 3)
    assert fill(context) == 3
    assert fill(context) == 0
    demo.clear(context, admin)
    assert fill(context) == 0


def test_every_job_is_shown(broker: Any) -> None:
    declare_actors(broker)
    shown = set(newcomer.JOBS) | SENT
    assert shown | NOT_SHOWN == set(broker.get_declared_actors())
    assert len(newcomer.JOBS) == len(set(newcomer.JOBS))


def test_jobs_that_nobody_declares_are_left_out(settings: Any, context: Any) -> None:
    warm_up = WarmUp(settings)
    assert [warm_up.look() for _ in newcomer.JOBS] == [True] * (len(newcomer.JOBS) - 1) + [False]
