"""What the indices share: their pollutants, their answer, and what counts as a concentration."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

#: The pollutants, by the names of the tables' columns.
POLLUTANTS = ("pm2_5", "pm10", "o3", "no2", "so2", "co")

#: Grams a mole, of the gases.
_MOLAR_MASS = {"o3": 47.998, "no2": 46.0055, "so2": 64.066, "co": 28.010}
#: Litres that a mole of gas fills at 25 °C and 1 atm, as the US EPA reckons.
_MOLAR_VOLUME = 24.45

#: Micrograms a cubic metre that are beyond every table, and beyond belief.
_MOST = 1e9

#: A pollutant's concentration; None where it was not measured.
Concentrations = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Index:
    """An index of a place and time: the worst of its pollutants' own.

    `category` is the index in words, `dominant` the pollutant that it comes from, `parts` those of all
    pollutants that were measured.
    """

    value: int
    category: str
    dominant: str
    parts: Mapping[str, int]


def parts_per_billion(pollutant: str, micrograms: float) -> float:
    """A gas's micrograms a cubic metre as parts in a billion, at 25 °C and 1 atm.

    Raises:
        KeyError: it is no gas that has an index.
    """
    return micrograms * _MOLAR_VOLUME / _MOLAR_MASS[pollutant]


def measured(concentrations: Concentrations, pollutant: str) -> float | None:
    """The concentration, or None. Sensors drift below nothing at all: that counts as nothing."""
    value = concentrations.get(pollutant)
    return None if value is None or not math.isfinite(value) else min(max(value, 0.0), _MOST)


def worst(parts: Mapping[str, int]) -> str | None:
    """The pollutant with the highest index, of equals the first of `POLLUTANTS`; None where there is none."""
    return max(
        (pollutant for pollutant in POLLUTANTS if pollutant in parts),
        key=lambda pollutant: parts[pollutant],
        default=None,
    )
