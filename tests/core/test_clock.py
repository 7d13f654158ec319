"""Times and milliseconds."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pendulum
import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from callboard.core.clock import as_utc, from_ms, to_ms, utcnow
from callboard.core.errors import BadInput

ZONES = st.sampled_from(["UTC", "Europe/Paris", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia"])
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=ZONES.map(ZoneInfo))  # noqa: DTZ001


def test_now_is_aware_and_in_utc() -> None:
    with time_machine.travel(datetime(2025, 3, 30, 1, 0, tzinfo=UTC), tick=False):
        assert utcnow() == datetime(2025, 3, 30, 1, 0, tzinfo=UTC)
        assert utcnow().tzinfo is UTC


@given(st.integers(-2_000_000_000_000, 10_000_000_000_000))
def test_milliseconds_survive_the_way_there_and_back(ms: int) -> None:
    assert to_ms(from_ms(ms)) == ms
    assert from_ms(ms).tzinfo is UTC


@given(MOMENTS)
def test_a_moment_becomes_milliseconds_rounded_down(moment: datetime) -> None:
    ms = to_ms(moment)

    # Between zones Python calls a time within a gap unequal to any other.
    assert from_ms(ms) <= moment.astimezone(UTC) < from_ms(ms + 1)


@given(MOMENTS)
def test_the_same_moment_in_utc_is_a_plain_datetime(moment: datetime) -> None:
    for given_as in (moment, pendulum.instance(moment)):
        plain = as_utc(given_as)
        assert plain == given_as.astimezone(UTC)
        assert type(plain) is datetime
        assert plain.tzinfo is UTC


def test_the_pass_of_a_fold_is_kept() -> None:
    paris = ZoneInfo("Europe/Paris")
    first, second = (datetime(2025, 10, 26, 2, 30, tzinfo=paris, fold=fold) for fold in (0, 1))

    assert as_utc(second) - as_utc(first) == timedelta(hours=1)
    assert to_ms(second) - to_ms(first) == 3_600_000


def test_offsets_of_fractions_of_a_minute_are_taken_off() -> None:
    odd = timezone(timedelta(hours=1, minutes=19, seconds=32, microseconds=7))

    assert as_utc(datetime(1930, 1, 1, tzinfo=odd)) == datetime(1930, 1, 1, tzinfo=odd).astimezone(UTC)


def test_milliseconds_are_exact_far_from_1970() -> None:
    assert to_ms(datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == 253_402_300_799_999
    assert to_ms(datetime(1969, 12, 31, 23, 59, 59, 999_900, tzinfo=UTC)) == -1


def test_a_naive_time_is_refused_with_advice() -> None:
    naive = datetime(2025, 1, 1)  # noqa: DTZ001
    for convert in (to_ms, as_utc):
        with pytest.raises(BadInput, match=r"^The time 2025-01-01 00:00:00 has no time zone; give an aware"):
            convert(naive)
