"""The European Air Quality Index: six levels, each pollutant's by its own bands.

The bands are those that the European Environment Agency has used since 2025 (ETC HE Report 2024/17), of
hourly concentrations. Carbon monoxide has none.
"""

from bisect import bisect_left

from callboard.core.aqi.index import Concentrations, Index, measured, worst

#: The levels from 1 on, in words.
CATEGORIES = ("Good", "Fair", "Moderate", "Poor", "Very poor", "Extremely poor")

#: The highest concentration of each level but the last, in micrograms a cubic metre.
BANDS: dict[str, tuple[float, ...]] = {
    "pm2_5": (5, 15, 50, 90, 140),
    "pm10": (15, 45, 120, 195, 270),
    "no2": (10, 25, 60, 100, 150),
    "o3": (60, 100, 120, 160, 180),
    "so2": (20, 40, 125, 190, 275),
}


def eu_aqi(concentrations: Concentrations) -> Index | None:
    """The index, 1 to 6, of hourly concentrations (micrograms a cubic metre); None where none has bands."""
    parts = {
        pollutant: level(pollutant, value)
        for pollutant in BANDS
        if (value := measured(concentrations, pollutant)) is not None
    }
    dominant = worst(parts)
    if dominant is None:
        return None
    return Index(parts[dominant], category(parts[dominant]), dominant, parts)


def level(pollutant: str, micrograms: float) -> int:
    """One pollutant's level. A concentration on the border of two belongs to the better one.

    Raises:
        KeyError: the pollutant has no bands.
    """
    return bisect_left(BANDS[pollutant], micrograms) + 1


def category(value: int) -> str:
    """A level in words."""
    return CATEGORIES[value - 1]
