"""Open-Meteo, asked as it documents, in the sandbox and in answers it might give."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from callboard.actors.providers.errors import Denied, Overloaded, Refused, ServiceError, Unreachable
from callboard.actors.providers.open_meteo import NAMES, OpenMeteo, Service
from callboard.core.errors import BadSettings
from helpers.sandboxed import Sandboxed, sandboxed

PARIS, SYDNEY = (48.8566, 2.3522), (-33.8688, 151.2093)
CURRENT = {"time": "2026-03-10T12:00", "interval": 3600, "pm10": 20, "pm2_5": 10.5, "ozone": None}


@pytest.fixture(scope="module")
def running() -> Iterator[Sandboxed]:
    with sandboxed() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandboxed, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Sandboxed:
    running.reset()
    for name, value in {**running.environ, "CALLBOARD_HOME": str(tmp_path), "OPEN_METEO_URL": ""}.items():
        monkeypatch.setenv(name, value)
    return running


@pytest.fixture
def answering(sandbox: Sandboxed, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], OpenMeteo]:
    def make(answer: Any) -> OpenMeteo:
        monkeypatch.setattr(Service, "get", lambda *_: answer)
        return OpenMeteo()

    return make


def test_one_place_and_several_are_read_alike(sandbox: Sandboxed) -> None:
    (alone,) = OpenMeteo().current([PARIS])
    paris, sydney = OpenMeteo().current([PARIS, SYDNEY])

    assert alone.concentrations.keys() == NAMES.keys()
    assert all(value is not None and value > 0 for value in paris.concentrations.values())
    assert paris.measured_at.tzinfo is UTC
    assert abs(datetime.now(UTC) - paris.measured_at) < timedelta(hours=2)
    assert paris.concentrations != sydney.concentrations


def test_more_places_than_an_address_can_hold_are_asked_for_in_turn(sandbox: Sandboxed) -> None:
    places = [(n / 10 - 60, n / 10) for n in range(250)]

    readings = OpenMeteo().current(places)

    assert len(readings) == 250
    assert sandbox.counts("open-meteo")["requests"] == 3
    assert readings[120].concentrations == OpenMeteo().current([places[120]])[0].concentrations


def test_a_place_that_is_none_is_refused_in_its_words(sandbox: Sandboxed) -> None:
    with pytest.raises(Refused, match=r"^Open-Meteo refused GET /v1/air-quality: Latitude must be in range"):
        OpenMeteo().current([PARIS, (95.0, 0.0)])


def test_a_wrong_key_is_refused_and_not_told(sandbox: Sandboxed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPEN_METEO_URL", f"{sandbox.url}/open-meteo")
    monkeypatch.setenv("OPEN_METEO_API_KEY", "hunter2")

    with pytest.raises(Denied, match="The supplied API key is invalid") as caught:
        OpenMeteo().current([PARIS])

    assert "hunter2" not in str(caught.value)


def test_an_outage_and_too_many_requests_are_worth_another_attempt(
    sandbox: Sandboxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callboard.actors.providers.open_meteo.PATIENCE_S", 0.3)
    sandbox.turn("open-meteo", outage=True)
    with pytest.raises(Unreachable):
        OpenMeteo().current([PARIS])
    sandbox.turn("open-meteo", outage=False, rate_limit=0.01)
    OpenMeteo().current([PARIS])
    with pytest.raises(Overloaded, match="Minutely API request limit exceeded"):
        OpenMeteo().current([PARIS])


def test_times_are_read_by_their_offset_and_what_is_not_known_stays_so(answering: Any) -> None:
    answer = {"utc_offset_seconds": 19_800, "current": CURRENT}

    (reading,) = answering(answer).current([PARIS])

    assert reading.measured_at == datetime(2026, 3, 10, 6, 30, tzinfo=UTC)
    assert reading.concentrations == {
        "pm2_5": 10.5, "pm10": 20.0, "o3": None, "no2": None, "so2": None, "co": None
    }  # fmt: skip


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {},
        None,
        "fine",
        {"current": None},
        {"current": {"time": 12}},
        {"current": {"time": "noon"}},
        {"current": {**CURRENT, "pm10": "20"}},
        {"current": {**CURRENT, "pm10": float("nan")}},
        {"current": {**CURRENT, "pm10": True}},
        [{"current": CURRENT}, {"current": CURRENT}],
    ],
)
def test_an_answer_of_another_shape_is_an_error_in_words(answering: Any, answer: Any) -> None:
    with pytest.raises(ServiceError, match=r"^Open-Meteo's answer cannot be understood: .+\.$"):
        answering(answer).current([PARIS])


def test_without_an_address_and_a_sandbox_the_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("CALLBOARD_HOME", str(tmp_path))

    with pytest.raises(BadSettings, match="OPEN_METEO_URL"):
        OpenMeteo()


def test_a_place_without_a_time_harms_none_beside_it(answering: Any) -> None:
    right, wrong, odd = answering(
        [{"current": CURRENT}, {"current": {"time": None}}, {"current": {**CURRENT, "pm10": "much"}}]
    ).current([PARIS] * 3)

    assert (right.error, right.concentrations["pm10"]) == ("", 20.0)
    assert wrong.error == "Open-Meteo's answer cannot be understood: it names no time of its figures."
    assert odd.error == "Open-Meteo's answer cannot be understood: 'much' is no concentration."
