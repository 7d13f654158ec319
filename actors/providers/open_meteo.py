"""Open-Meteo: what is in the air of places at this hour.

`GET {base}/v1/air-quality?latitude=48.85,52.52&longitude=2.35,13.41&current=pm10,...&timezone=GMT`. One place
is answered with an object, several with a list in their order.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from callboard.actors.providers import where
from callboard.actors.providers.errors import ServiceError
from callboard.actors.providers.http import Service

#: Their names of our pollutants.
NAMES: Final = {
    "pm2_5": "pm2_5",
    "pm10": "pm10",
    "o3": "ozone",
    "no2": "nitrogen_dioxide",
    "so2": "sulphur_dioxide",
    "co": "carbon_monoxide",
}
#: Places in one request: their address has to stay within 8,000 characters.
MOST_PLACES: Final = 100
#: Seconds that a request may take with all its repetitions; after that a later run tries it.
PATIENCE_S: Final = 15.0
#: Requests a second: those who do not pay have 600 a minute, and no more than 10,000 a day.
PER_SECOND: Final = 5.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What was in the air of a place, in micrograms a cubic metre by pollutant; None: not known.

    `error` says why there is nothing, "" if there is.
    """

    measured_at: datetime | None = None
    concentrations: Mapping[str, float | None] = field(default_factory=dict)
    error: str = ""


class OpenMeteo:
    """Asks for figures. Cheap to make for each run."""

    def __init__(self) -> None:
        """Raises BadSettings: the settings name neither an address nor a sandbox."""
        place = where.open_meteo()
        self._key = {"apikey": place.token} if place.token else {}
        self._service = Service(
            "Open-Meteo",
            place.base_url,
            timeout_s=PATIENCE_S,
            patience_s=PATIENCE_S,
            per_second=None if place.sandboxed else PER_SECOND,
        )

    def current(self, places: Sequence[tuple[float, float]]) -> list[Reading]:
        """The present figures of places, given by latitude and longitude, in their order.

        Raises:
            Refused: it takes one of the places for none, or the key for none.
            Overloaded: there were too many requests.
            Unreachable: it did not answer, or failed.
            ServiceError: what it answered is not what it documents.
        """
        readings: list[Reading] = []
        for begin in range(0, len(places), MOST_PLACES):
            readings += self._ask(places[begin : begin + MOST_PLACES])
        return readings

    def _ask(self, places: Sequence[tuple[float, float]]) -> list[Reading]:
        answer = self._service.get(
            "/v1/air-quality",
            {
                "latitude": ",".join(f"{latitude:.4f}" for latitude, _ in places),
                "longitude": ",".join(f"{longitude:.4f}" for _, longitude in places),
                "current": ",".join(NAMES.values()),
                "timezone": "GMT",
                **self._key,
            },
        )
        told = answer if isinstance(answer, list) else [answer]
        if len(told) != len(places):
            raise _odd(f"it was asked for {len(places)} places and told of {len(told)}")
        return [_read(each) for each in told]


def _read(told: Any) -> Reading:
    try:
        current = told["current"]
        at = datetime.fromisoformat(current["time"])
        offset = timedelta(seconds=int(told.get("utc_offset_seconds", 0)))
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError):
        raise _odd("it names no time of its figures") from None
    moment = at.astimezone(UTC) if at.tzinfo else (at - offset).replace(tzinfo=UTC)
    return Reading(moment, {ours: _figure(current.get(theirs)) for ours, theirs in NAMES.items()})


def _figure(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _odd(f"{value!r:.40} is no concentration")
    return max(float(value), 0.0)


def _odd(what: str) -> ServiceError:
    return ServiceError(f"Open-Meteo's answer cannot be understood: {what}.", service="Open-Meteo")
