"""The index of the US EPA, held against what the EPA publishes."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.core.aqi import POLLUTANTS, us_aqi
from callboard.core.aqi.us import (
    OZONE_1H,
    SCALES,
    SULPHUR_DIOXIDE_24H,
    Scale,
    category,
    ozone,
    sub_index,
    sulphur_dioxide,
)

#: "Technical Assistance Document for the Reporting of Daily Air Quality - the Air Quality Index (AQI)",
#: EPA-454/B-24-002, May 2024, Table 6, in the units printed there (ozone and carbon monoxide: ppm).
PUBLISHED = {
    "pm2_5": [(0.0, 9.0), (9.1, 35.4), (35.5, 55.4), (55.5, 125.4), (125.5, 225.4), (225.5, 325.4)],
    "pm10": [(0, 54), (55, 154), (155, 254), (255, 354), (355, 424), (425, 604)],
    "o3": [(0, 54), (55, 70), (71, 85), (86, 105), (106, 200)],
    "no2": [(0, 53), (54, 100), (101, 360), (361, 649), (650, 1_249), (1_250, 2_049)],
    "so2": [(0, 35), (36, 75), (76, 185), (186, 304)],
    "co": [(0.0, 4.4), (4.5, 9.4), (9.5, 12.4), (12.5, 15.4), (15.5, 30.4), (30.5, 50.4)],
}
VALUES = [(0, 50), (51, 100), (101, 150), (151, 200), (201, 300), (301, 500)]
ALL = {**SCALES, "o3_1h": OZONE_1H, "so2_24h": SULPHUR_DIOXIDE_24H}

concentrations = st.floats(0, 1e6, allow_nan=False)


def micrograms(ppb: float, molar_mass: float) -> float:
    return ppb * molar_mass / 24.45


@pytest.mark.parametrize(
    ("pollutant", "line"), [(name, line) for name, lines in PUBLISHED.items() for line in range(len(lines))]
)
def test_the_ends_of_every_published_line_have_the_published_values(pollutant: str, line: int) -> None:
    low, high = PUBLISHED[pollutant][line]

    assert sub_index(SCALES[pollutant], low) == VALUES[line][0]
    assert sub_index(SCALES[pollutant], high) == VALUES[line][1]


def test_the_examples_of_the_technical_assistance_document_come_out() -> None:
    # EPA-454/B-24-002, section IV: 0.07853333 ppm of ozone in 8 hours is truncated to 0.078 ppm and has 126;
    # with PM2.5 at 35.9 (102) and CO at 8.4 ppm (90), the AQI is 126 with ozone as the responsible pollutant.
    assert ozone(78.53333) == 126
    assert sub_index(SCALES["pm2_5"], 35.9) == 102
    assert sub_index(SCALES["co"], 8.4) == 90

    index = us_aqi({"o3": micrograms(78.53333, 47.998), "pm2_5": 35.9, "co": micrograms(8_450, 28.010)})

    assert index is not None
    assert (index.value, index.dominant) == (126, "o3")
    assert index.category == "Unhealthy for Sensitive Groups"
    assert index.parts == {"pm2_5": 102, "o3": 126, "co": 90}


@pytest.mark.parametrize(
    ("pollutant", "value", "index"),
    [("pm2_5", 9.09, 50), ("pm2_5", 35.99, 102), ("pm10", 54.9, 50), ("o3", 70.9, 100), ("co", 4.49, 50)],
)
def test_a_concentration_is_truncated_and_not_rounded(pollutant: str, value: float, index: int) -> None:
    assert sub_index(SCALES[pollutant], value) == index


@pytest.mark.parametrize("scale", ALL.values(), ids=ALL)
def test_a_float_that_stands_for_a_border_is_on_its_right_side(scale: Scale) -> None:
    for segment in scale.segments:
        for step in (segment.low, segment.high):
            assert sub_index(scale, step / scale.steps) == sub_index(scale, (step + 0.5) / scale.steps)


@pytest.mark.parametrize("scale", ALL.values(), ids=ALL)
def test_lines_join_without_a_gap_and_no_step_is_a_leap(scale: Scale) -> None:
    assert all(
        (lower.high + 1, lower.most + 1) == (upper.low, upper.least)
        for lower, upper in pairwise(scale.segments)
    )
    steepest = max((most - least) / (high - low) for low, high, least, most in scale.segments)
    values = [
        sub_index(scale, step / scale.steps)
        for step in range(scale.segments[0].low, scale.segments[-1].high + 1)
    ]
    assert all(0 <= later - earlier <= steepest + 1 for earlier, later in pairwise(values))
    assert set(values) >= {value for *_, least, most in scale.segments for value in (least, most)}


@given(st.sampled_from(POLLUTANTS), concentrations, concentrations)
def test_more_of_a_pollutant_is_never_better(pollutant: str, one: float, other: float) -> None:
    less, more = (us_aqi({pollutant: value}) for value in sorted((one, other)))

    assert less is not None
    assert more is not None
    assert less.value <= more.value


@given(st.dictionaries(st.sampled_from(POLLUTANTS), st.none() | st.floats(), max_size=6))
def test_the_index_is_the_worst_part_whatever_was_measured(given: dict[str, float | None]) -> None:
    index = us_aqi(given)

    if index is None:
        assert not [value for value in given.values() if value is not None and abs(value) < float("inf")]
        return
    assert 0 <= index.value <= 500
    assert index.value == max(index.parts.values()) == index.parts[index.dominant]
    assert index.category == category(index.value)


def test_nothing_measured_has_no_index_and_less_than_nothing_counts_as_nothing() -> None:
    assert us_aqi({}) is None
    assert us_aqi({"pm10": None, "o3": float("nan")}) is None
    drifted = us_aqi({"pm2_5": -0.4})
    assert drifted is not None
    assert drifted.value == 0


def test_of_two_equals_the_first_of_the_table_is_dominant() -> None:
    index = us_aqi({"pm10": 54, "pm2_5": 9.0})

    assert index is not None
    assert index.dominant == "pm2_5"


def test_ozone_beyond_the_table_of_eight_hours_goes_by_the_hour() -> None:
    assert ozone(78, 162) == 147, "the worse of both"
    assert ozone(78, 100) == 126, "an hour below its table says nothing"
    assert ozone(200) == 300
    assert ozone(201) == 300, "of an hour no better than the eight"
    assert ozone(404.9) == 300
    assert ozone(405) == 301
    assert ozone(250, 604) == 500


def test_sulphur_dioxide_has_no_more_than_200_unless_the_whole_day_was_bad() -> None:
    assert sulphur_dioxide(304) == 200
    assert sulphur_dioxide(900) == 200
    assert sulphur_dioxide(900, 304) == 200
    assert sulphur_dioxide(900, 305) == 201
    day = us_aqi({"so2": micrograms(900, 64.066)}, so2_24h=micrograms(1_004.5, 64.066))
    assert day is not None
    assert day.value == 500


def test_gases_are_converted_at_25_degrees() -> None:
    # 1 ppb of ozone is 1.96, of nitrogen dioxide 1.88, of sulphur dioxide 2.62, 1 ppm of CO 1,146 µg/m³.
    just_good = {"o3": 54.1 * 1.9632, "no2": 53.1 * 1.8817, "so2": 35.1 * 2.6203, "co": 4_410 * 1.1457}
    for gas, value in just_good.items():
        index = us_aqi({gas: value})
        assert index is not None, gas
        assert index.value == 50, gas


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "Good"), (50, "Good"), (51, "Moderate"), (100, "Moderate"),
        (101, "Unhealthy for Sensitive Groups"), (150, "Unhealthy for Sensitive Groups"), (151, "Unhealthy"),
        (200, "Unhealthy"), (201, "Very Unhealthy"), (300, "Very Unhealthy"), (301, "Hazardous"),
        (500, "Hazardous"),
    ],
)  # fmt: skip
def test_every_value_has_its_category(value: int, words: str) -> None:
    assert category(value) == words
