"""The European index, held against the bands of the European Environment Agency."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.core.aqi import POLLUTANTS, eu_aqi
from callboard.core.aqi.eu import BANDS, CATEGORIES, level

#: The highest concentrations of the levels Good to Very poor, in µg/m³, as the European Environment Agency's
#: "European Air Quality Index" prints them since 2025 (method: ETC HE Report 2024/17).
PUBLISHED = {
    "pm2_5": (5, 15, 50, 90, 140),
    "pm10": (15, 45, 120, 195, 270),
    "no2": (10, 25, 60, 100, 150),
    "o3": (60, 100, 120, 160, 180),
    "so2": (20, 40, 125, 190, 275),
}


@pytest.mark.parametrize("pollutant", PUBLISHED)
def test_every_band_begins_and_ends_where_it_is_published(pollutant: str) -> None:
    highs = PUBLISHED[pollutant]

    assert set(BANDS) == set(PUBLISHED)
    assert level(pollutant, 0) == 1
    assert [level(pollutant, high) for high in highs] == [1, 2, 3, 4, 5]
    assert [level(pollutant, high + 0.1) for high in highs] == [2, 3, 4, 5, 6]


def test_the_index_is_the_worst_level_in_words() -> None:
    index = eu_aqi({"pm2_5": 12.0, "pm10": 30.0, "no2": 61.0, "o3": 40.0, "so2": 3.0, "co": 9_000.0})

    assert index is not None
    assert (index.value, index.category, index.dominant) == (4, "Poor", "no2")
    assert index.parts == {"pm2_5": 2, "pm10": 2, "no2": 4, "o3": 1, "so2": 1}


def test_carbon_monoxide_alone_has_no_european_index() -> None:
    assert eu_aqi({"co": 9_000.0}) is None
    assert eu_aqi({"pm10": None}) is None


@given(st.sampled_from(sorted(BANDS)), st.floats(0, 1e4), st.floats(0, 1e4))
def test_more_of_a_pollutant_is_never_better(pollutant: str, one: float, other: float) -> None:
    less, more = sorted((one, other))

    assert 1 <= level(pollutant, less) <= level(pollutant, more) <= 6


@given(st.dictionaries(st.sampled_from(POLLUTANTS), st.floats(0, 1_000), min_size=1))
def test_the_index_comes_from_its_dominant_pollutant(given: dict[str, float]) -> None:
    index = eu_aqi(given)

    if index is None:
        assert set(given) == {"co"}
        return
    assert index.value == level(index.dominant, given[index.dominant]) == max(index.parts.values())
    assert index.category == CATEGORIES[index.value - 1]
