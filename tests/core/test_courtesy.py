"""Messages come at decent hours of the place where they arrive."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.core.courtesy import CLOSES, OPENS, arrival_days, courteous

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


@pytest.mark.parametrize(
    ("hour", "zone", "day"),
    [
        (10, "Europe/Paris", 1),
        (10, "Pacific/Kiritimati", 2),
        (10, "Pacific/Pago_Pago", 1),
        (7, "Pacific/Pago_Pago", 1),
        (6, "Pacific/Pago_Pago", 28),
        (23, "UTC", 2),
        (23, "Mars/Olympus", 2),
    ],
)
def test_a_message_arrives_on_the_day_that_it_is_there_when_it_may_come(
    hour: int, zone: str, day: int
) -> None:
    assert arrival_days(datetime(2026, 3, 1, hour, tzinfo=UTC), [zone])[zone].day == day
