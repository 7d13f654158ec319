"""The sandbox's Open-Meteo, held against what Open-Meteo documents of the real one."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest

from callboard.sandbox.open_meteo import ORDINARY, figure
from helpers.sandboxed import Sandboxed

PATH = "/open-meteo/v1/air-quality"
CURRENT = "pm10,pm2_5,carbon_monoxide,nitrogen_dioxide,sulphur_dioxide,ozone"
PARIS = {"latitude": 48.8566, "longitude": 2.3522, "current": CURRENT}
TUESDAY = datetime(2026, 3, 10, tzinfo=UTC)


def ask(client: httpx.Client, **more: Any) -> httpx.Response:
    return client.get(PATH, params={**PARIS, **more})


def test_one_place_is_answered_with_its_present_figures_and_their_units(client: httpx.Client) -> None:
    before = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)

    answer = ask(client, timezone="Europe/Paris")

    assert answer.status_code == 200
    said = answer.json()
    assert (said["latitude"], said["longitude"], said["timezone"]) == (48.9, 2.4, "Europe/Paris")
    assert said["utc_offset_seconds"] in (3_600, 7_200)
    assert said["current_units"]["pm10"] == "μg/m³"
    assert said["current_units"].keys() == said["current"].keys() == {"time", "interval", *CURRENT.split(",")}
    local = datetime.fromisoformat(said["current"]["time"]).replace(tzinfo=UTC)
    at = local - timedelta(seconds=said["utc_offset_seconds"])
    assert at in (before, before + timedelta(hours=1))
    assert all(said["current"][name] == figure(name, 48.9, 2.4, at) for name in ORDINARY)


def test_several_places_are_answered_with_a_list_in_their_order(client: httpx.Client) -> None:
    answer = ask(client, latitude="48.8566,52.52,-33.87", longitude="2.3522,13.41,151.21", current="ozone")

    assert answer.status_code == 200
    said = answer.json()
    assert [(each["latitude"], each.get("location_id", 0)) for each in said] == [
        (48.9, 0), (52.5, 1), (-33.9, 2)
    ]  # fmt: skip
    assert {each["timezone"] for each in said} == {"GMT"}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"latitude": 95}, "Latitude must be in range of -90 to 90°. Given: 95.0."),
        ({"longitude": -181}, "Longitude must be in range of -180 to 180°. Given: -181.0."),
        ({"latitude": "nan"}, "Latitude must be in range of -90 to 90°. Given: nan."),
        ({"latitude": "north"}, "Value of type 'Double' required for key 'latitude'."),
        ({"latitude": ""}, "Value required for key 'latitude'."),
        (
            {"latitude": "1,2"},
            "Parameter 'latitude' and 'longitude' must have the same number of elements",
        ),
        ({"timezone": "Europe/Atlantis"}, "Invalid timezone"),
        (
            {"current": "pm10,smell"},
            "Data corrupted at path ''. Cannot initialize from invalid String value smell.",
        ),
        ({"apikey": "wrong"}, "The supplied API key is invalid."),
    ],
)
def test_what_it_cannot_do_is_refused_with_a_reason(
    client: httpx.Client, given: dict[str, Any], reason: str
) -> None:
    answer = ask(client, **given)

    assert answer.status_code == 400
    assert answer.json() == {"error": True, "reason": reason}


def test_a_customers_key_is_taken(client: httpx.Client, sandbox: Sandboxed) -> None:
    assert ask(client, apikey=sandbox.token).status_code == 200


def test_beyond_the_rate_limit_it_says_so_in_its_own_words(client: httpx.Client, sandbox: Sandboxed) -> None:
    sandbox.turn("open-meteo", rate_limit=0.01)
    assert ask(client).status_code == 200

    answer = ask(client)

    assert answer.status_code == 429
    assert answer.json()["reason"].startswith("Minutely API request limit exceeded.")


def test_figures_follow_the_hours_of_the_day_and_never_leap() -> None:
    hours = [TUESDAY + timedelta(hours=hour) for hour in range(48)]
    traffic = [figure("nitrogen_dioxide", 48.9, 2.4, hour) for hour in hours]
    ozone = [figure("ozone", 48.9, 2.4, hour) for hour in hours]

    assert traffic[8] > 1.3 * traffic[3]
    assert ozone[14] > 1.3 * ozone[4]
    assert all(0.5 < later / earlier < 2 for each in (traffic, ozone) for earlier, later in pairwise(each))


def test_figures_are_of_the_order_of_a_citys_and_differ_by_place_and_day() -> None:
    days = [TUESDAY + timedelta(days=day, hours=12) for day in range(365)]
    paris = [figure("pm2_5", 48.9, 2.4, day) for day in days]

    assert 5 < sum(paris) / len(paris) < 30
    assert max(paris) > 2 * min(paris)
    assert paris != [figure("pm2_5", 52.5, 13.4, day) for day in days]
    assert paris == [figure("pm2_5", 48.9, 2.4, day) for day in days]
