"""The Air Quality Index of the US EPA, 0 to 500.

After the Technical Assistance Document for the Reporting of Daily Air Quality, EPA-454/B-24-002 (May 2024),
and 40 CFR Part 58, Appendix G: a concentration is truncated, the index interpolated between two breakpoints
and rounded. Particles go by their mean of 24 hours, ozone and carbon monoxide by that of 8, nitrogen dioxide
and sulphur dioxide by that of one hour.
"""

from typing import NamedTuple

from callboard.core.aqi.index import Concentrations, Index, measured, parts_per_billion, worst

#: The highest index of each category, and the category in words.
CATEGORIES = (
    (50, "Good"),
    (100, "Moderate"),
    (150, "Unhealthy for Sensitive Groups"),
    (200, "Unhealthy"),
    (300, "Very Unhealthy"),
    (500, "Hazardous"),
)
#: The index from which on a day is reported: it is unhealthy for everybody.
UNHEALTHY = 151

#: Where a truncated concentration lies that a float shows as a little less: 0.3 ppm as 0.29999 of it.
_DUST = 1e-6


class Segment(NamedTuple):
    """A line of the table: concentrations from `low` to `high`, in steps, have `least` to `most`."""

    low: int
    high: int
    least: int
    most: int


class Scale(NamedTuple):
    """A pollutant's lines, in order, and how many of their steps make a unit."""

    steps: int
    segments: tuple[Segment, ...]


def _scale(steps: int, *highs: int, low: int = 0, least: int = 0) -> Scale:
    segments = []
    for high, (most, _) in zip(highs, (mark for mark in CATEGORIES if mark[0] > least), strict=False):
        segments.append(Segment(low, high, least, most))
        low, least = high + 1, most + 1
    return Scale(steps, tuple(segments))


#: Of micrograms a cubic metre (particles), parts in a million (carbon monoxide), parts in a billion (others).
SCALES = {
    "pm2_5": _scale(10, 90, 354, 554, 1_254, 2_254, 3_254),
    "pm10": _scale(1, 54, 154, 254, 354, 424, 604),
    "o3": _scale(1, 54, 70, 85, 105, 200),
    "no2": _scale(1, 53, 100, 360, 649, 1_249, 2_049),
    "so2": _scale(1, 35, 75, 185, 304),
    "co": _scale(10, 44, 94, 124, 154, 304, 504),
}
#: Where the tables above end, others go on: ozone's of one hour, sulphur dioxide's of 24.
OZONE_1H = _scale(1, 164, 204, 404, 604, low=125, least=101)
SULPHUR_DIOXIDE_24H = _scale(1, 604, 1_004, low=305, least=201)


def us_aqi(
    concentrations: Concentrations, *, o3_1h: float | None = None, so2_24h: float | None = None
) -> Index | None:
    """The index of mean concentrations (micrograms a cubic metre); None where nothing was measured.

    `o3_1h` is ozone's highest mean of one hour, `so2_24h` sulphur dioxide's mean of 24: the first may be
    worse than that of 8 hours, the second is what an index over 200 takes.
    """
    parts: dict[str, int] = {}
    for pollutant in SCALES:
        value = _in_units(pollutant, concentrations)
        if value is None:
            continue
        if pollutant == "o3":
            parts["o3"] = ozone(value, _in_units("o3", {"o3": o3_1h}))
        elif pollutant == "so2":
            parts["so2"] = sulphur_dioxide(value, _in_units("so2", {"so2": so2_24h}))
        else:
            parts[pollutant] = sub_index(SCALES[pollutant], value)
    dominant = worst(parts)
    if dominant is None:
        return None
    return Index(parts[dominant], category(parts[dominant]), dominant, parts)


def sub_index(scale: Scale, value: float) -> int:
    """The index on a scale, of a value in its unit. One below the scale has 0, one above it its highest."""
    step = int(value * scale.steps + _DUST)
    for low, high, least, most in scale.segments:
        if step < low:
            return 0
        if step <= high:
            # Rounded, a half up, without a float's own opinion of what is a half.
            return least + (2 * (most - least) * (step - low) + (high - low)) // (2 * (high - low))
    return scale.segments[-1].most


def ozone(ppb_8h: float, ppb_1h: float | None = None) -> int:
    """Ozone's index, of its means of 8 hours and of one.

    The table of 8 hours ends at 300. Beyond it counts the hour; where that is not known, it was no better
    than the eight.
    """
    eight = sub_index(SCALES["o3"], ppb_8h)
    hour = ppb_8h if ppb_1h is None and ppb_8h > SCALES["o3"].segments[-1].high else ppb_1h
    return eight if hour is None else max(eight, sub_index(OZONE_1H, hour))


def sulphur_dioxide(ppb_1h: float, ppb_24h: float | None = None) -> int:
    """Sulphur dioxide's index, of its mean of one hour: at most 200, unless its mean of 24 says more."""
    hour = sub_index(SCALES["so2"], ppb_1h)
    return hour if ppb_24h is None else max(hour, sub_index(SULPHUR_DIOXIDE_24H, ppb_24h))


def category(value: int) -> str:
    """An index in words."""
    return next((words for most, words in CATEGORIES if value <= most), CATEGORIES[-1][1])


def _in_units(pollutant: str, concentrations: Concentrations) -> float | None:
    """The concentration in the unit of its scale."""
    value = measured(concentrations, pollutant)
    if value is None or pollutant in ("pm2_5", "pm10"):
        return value
    ppb = parts_per_billion(pollutant, value)
    return ppb / 1_000 if pollutant == "co" else ppb
