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
from callboard.actors.providers.errors import Denied, Refused, ServiceError
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
            Denied: it takes the key for none.
            Refused: it takes one of the places for none.
            Overloaded: there were too many requests.
            Unreachable: it did not answer, or failed.
            ServiceError: what it answered is not what it documents.
        """
        readings: list[Reading] = []
        for begin in range(0, len(places), MOST_PLACES):
            readings += self._ask(places[begin : begin + MOST_PLACES])
        return readings

    def _ask(self, places: Sequence[tuple[float, float]]) -> list[Reading]:
        asked = {
            "latitude": ",".join(f"{latitude:.4f}" for latitude, _ in places),
            "longitude": ",".join(f"{longitude:.4f}" for _, longitude in places),
            "current": ",".join(NAMES.values()),
            "timezone": "GMT",
            **self._key,
        }
        try:
            answer = self._service.get("/v1/air-quality", asked)
        except Refused as refusal:
            # It tells a wrong key with 400, as it does a wrong place.
            if refusal.http_status in (401, 403) or "api key" in refusal.said.lower():
                raise Denied(
                    str(refusal), service=refusal.service, http_status=refusal.http_status, said=refusal.said
                ) from None
            raise
        told = answer if isinstance(answer, list) else [answer]
        if len(told) != len(places):
            raise _odd(f"it was asked for {len(places)} places and told of {len(told)}")
        readings = [_read(each) for each in told]
        if all(reading.error for reading in readings):
            raise ServiceError(readings[0].error, service="Open-Meteo")
        return readings


def _read(told: Any) -> Reading:
    """The reading of a place; one that makes no sense says so, and harms none beside it."""
    try:
        current = told["current"]
        at = datetime.fromisoformat(current["time"])
        offset = timedelta(seconds=int(told.get("utc_offset_seconds", 0)))
        moment = at.astimezone(UTC) if at.tzinfo else (at - offset).replace(tzinfo=UTC)
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError):
        return _odd_reading("it names no time of its figures")
    figures = {ours: current.get(theirs) for ours, theirs in NAMES.items()}
    for value in figures.values():
        if value is not None and not _is_figure(value):
            return _odd_reading(f"{value!r:.40} is no concentration")
    return Reading(
        moment, {name: None if value is None else max(float(value), 0.0) for name, value in figures.items()}
    )


def _is_figure(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _odd_reading(what: str) -> Reading:
    return Reading(error=str(_odd(what)))


def _odd(what: str) -> ServiceError:
    return ServiceError(f"Open-Meteo's answer cannot be understood: {what}.", service="Open-Meteo")
