"""Messages come at decent hours of the place where they arrive."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.core.courtesy import CLOSES, OPENS, courteous

ZONES = ["UTC", "Europe/Paris", "America/St_Johns", "Asia/Kathmandu", "Pacific/Kiritimati"]
MOMENTS = st.integers(1_577_836_800, 2_051_222_400).map(lambda second: datetime.fromtimestamp(second, UTC))


@given(MOMENTS, st.sampled_from(ZONES))
def test_it_is_a_decent_hour_there_and_never_more_than_half_a_day_and_an_hour_later(
    moment: datetime, zone: str
) -> None:
    found = courteous(moment, zone)

    assert OPENS <= found.astimezone(ZoneInfo(zone)).time() < CLOSES
    assert timedelta(0) <= found - moment <= timedelta(hours=14)


@given(MOMENTS, st.sampled_from(ZONES))
def test_a_decent_hour_stays_what_it_is(moment: datetime, zone: str) -> None:
    found = courteous(moment, zone)

    assert courteous(found, zone) == found


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd"])
def test_a_zone_that_there_is_not_is_taken_for_utc(zone: str) -> None:
    late = datetime(2026, 3, 1, 23, tzinfo=UTC)

    assert courteous(late, zone) == datetime(2026, 3, 2, 9, tzinfo=UTC)
