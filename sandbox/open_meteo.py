"""Open-Meteo's air quality: what is in the air of a place at this hour, the same whoever asks.

`GET /open-meteo/v1/air-quality?latitude=48.85,52.52&longitude=2.35,13.41&current=pm10,pm2_5`. One place is
answered with an object, several with a list. The figures are made up of the place, the day and the hour:
traffic in the mornings and evenings, ozone in the afternoons, better and worse days.
"""

import math
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from random import Random
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from callboard.sandbox.answers import Json
from callboard.sandbox.knobs import Setting
from callboard.sandbox.state import state_of

NAME = "open-meteo"
#: Those who do not pay have 600 requests a minute.
DEFAULTS = Setting(rate_limit=10)
#: Places that one request may name.
MOST_PLACES = 1_000
#: Seconds from one figure of a place to its next.
INTERVAL = 3_600

#: Micrograms a cubic metre of an ordinary day, and how much traffic, sunshine and the cold add to them.
ORDINARY = {
    "pm10": (18.0, 0.5, 0.0, 0.5),
    "pm2_5": (11.0, 0.4, 0.0, 0.8),
    "carbon_monoxide": (210.0, 0.8, -0.1, 0.4),
    "nitrogen_dioxide": (22.0, 1.1, -0.4, 0.3),
    "sulphur_dioxide": (4.0, 0.2, 0.1, 0.4),
    "ozone": (48.0, -0.3, 1.0, -0.3),
}

_REASONS = {
    404: "Not Found",
    429: "Minutely API request limit exceeded. Please try again in one minute.",
    503: "The service is overloaded. Please try again later.",
}

router = APIRouter(prefix=f"/{NAME}")


@router.get("/v1/air-quality")
async def air_quality(request: Request) -> Response:
    """The present figures of one place or of several."""
    begun = time.perf_counter()
    try:
        key = request.query_params.get("apikey")
        if key is not None and key != state_of(request).token:
            raise ValueError("The supplied API key is invalid.")
        places = _places(request)
        names = _names(request)
        zones = _zones(request, len(places))
    except ValueError as error:
        return _refused(400, str(error))
    now = datetime.now(UTC)
    answers = [
        _answer(number, *place, names, zone, now)
        for number, (place, zone) in enumerate(zip(places, zones, strict=True))
    ]
    for answer in answers:
        answer["generationtime_ms"] = round((time.perf_counter() - begun) * 1_000, 4)
    return Json(answers[0] if len(answers) == 1 else answers)


def problem(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """An answer of trouble, in Open-Meteo's shape."""
    reason = "Internal server error" if status >= 500 else "Bad request"
    return _refused(status, _REASONS.get(status, reason), headers)


def figure(name: str, latitude: float, longitude: float, at: datetime) -> float:
    """Micrograms a cubic metre of a pollutant, at that hour."""
    ordinary, traffic, sunshine, cold = ORDINARY[name]
    solar = at + timedelta(hours=longitude / 15)
    hour = solar.hour + solar.minute / 60
    weekday = 1.0 if solar.weekday() < 5 else 0.55
    rush = weekday * (_bump(hour, 8, 1.8) + 0.9 * _bump(hour, 18.5, 2.2))
    summer = math.cos((solar.timetuple().tm_yday - 196) / 365.25 * math.tau) * (1 if latitude >= 0 else -1)
    sun = _bump(hour, 15, 3.5) * (1 + 0.5 * summer)
    today, tomorrow = (_weather(latitude, longitude, solar.date() + timedelta(days=day)) for day in (0, 1))
    weather = today + (tomorrow - today) * hour / 24
    place = Random(f"{latitude:.1f},{longitude:.1f},{name}").uniform(0.7, 1.5)  # noqa: S311 - made up
    value = ordinary * place * weather * (1 + traffic * rush + sunshine * sun - cold * 0.5 * summer)
    return round(max(value, 0.1), 1)


def _answer(
    number: int, latitude: float, longitude: float, names: list[str], zone: tzinfo, now: datetime
) -> dict[str, Any]:
    hour = now.replace(minute=0, second=0, microsecond=0)
    local = hour.astimezone(zone)
    offset = local.utcoffset() or timedelta()
    # The model's grid has a point every tenth of a degree.
    grid = (round(latitude, 1), round(longitude, 1))
    current = {name: figure(name, *grid, hour) for name in names}
    return {
        "latitude": grid[0],
        "longitude": grid[1],
        "generationtime_ms": 0.0,
        "utc_offset_seconds": int(offset.total_seconds()),
        "timezone": "GMT" if zone is UTC else str(zone),
        "timezone_abbreviation": "GMT" if zone is UTC else local.tzname(),
        "elevation": 38.0,
        **({"location_id": number} if number else {}),
        "current_units": {"time": "iso8601", "interval": "seconds", **dict.fromkeys(names, "μg/m³")},
        "current": {"time": f"{local:%Y-%m-%dT%H:%M}", "interval": INTERVAL, **current},
    }


def _places(request: Request) -> list[tuple[float, float]]:
    coordinates = []
    for name, most in (("latitude", 90), ("longitude", 180)):
        given = _listed(request, name)
        if not given:
            raise ValueError(f"Value required for key '{name}'.")
        try:
            values = [float(value) for value in given]
        except ValueError:
            raise ValueError(f"Value of type 'Double' required for key '{name}'.") from None
        for value in values:
            if not abs(value) <= most:
                raise ValueError(f"{name.title()} must be in range of -{most} to {most}°. Given: {value}.")
        coordinates.append(values)
    latitudes, longitudes = coordinates
    if len(latitudes) != len(longitudes):
        raise ValueError("Parameter 'latitude' and 'longitude' must have the same number of elements")
    if len(latitudes) > MOST_PLACES:
        raise ValueError(f"Only up to {MOST_PLACES} locations can be requested at once")
    return list(zip(latitudes, longitudes, strict=True))


def _names(request: Request) -> list[str]:
    names = _listed(request, "current")
    for name in names:
        if name not in ORDINARY:
            raise ValueError(
                f"Data corrupted at path ''. Cannot initialize from invalid String value {name}."
            )
    return names


def _zones(request: Request, number: int) -> list[tzinfo]:
    names = _listed(request, "timezone") or ["GMT"]
    if len(names) not in (1, number):
        raise ValueError("Parameter 'timezone' must have the same number of elements as coordinates")
    try:
        zones: list[tzinfo] = [
            UTC if name.upper() in ("GMT", "UTC", "AUTO") else ZoneInfo(name) for name in names
        ]
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("Invalid timezone") from None
    return zones * number if len(zones) == 1 else zones


def _listed(request: Request, name: str) -> list[str]:
    """The values of a parameter, be it given once with commas or several times."""
    given = request.query_params.getlist(name)
    return [value.strip() for each in given for value in each.split(",") if value.strip()]


def _weather(latitude: float, longitude: float, day: date) -> float:
    """How the day's weather multiplies what is in the air."""
    chance = Random(f"{latitude:.1f},{longitude:.1f},{day.isoformat()}")  # noqa: S311 - made up
    return math.exp(chance.gauss(0, 0.35))


def _bump(hour: float, middle: float, width: float) -> float:
    """1 at that hour of the day, less before and after, round the clock."""
    apart = abs((hour - middle + 12) % 24 - 12)
    return math.exp(-((apart / width) ** 2))


def _refused(status: int, reason: str, headers: Mapping[str, str] | None = None) -> Response:
    return Json({"error": True, "reason": reason}, status, headers)
