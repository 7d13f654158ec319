from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from callboard.core.errors import BadInput
from callboard.core.moments import read_moment, read_span

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 26, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("08:00", datetime(2026, 11, 26, 7, tzinfo=UTC)),
        ("8:30:00", datetime(2026, 11, 26, 7, 30, tzinfo=UTC)),
        ("08:31", datetime(2026, 11, 25, 7, 31, tzinfo=UTC)),
        (" 23:59:59 ", datetime(2026, 11, 25, 22, 59, 59, tzinfo=UTC)),
        ("2026-11-20 08:00", datetime(2026, 11, 20, 7, tzinfo=UTC)),
        ("2026-07-20T08:00", datetime(2026, 7, 20, 6, tzinfo=UTC)),
        ("2026-11-20T08:00Z", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        ("2026-11-20T08:00+09:00", datetime(2026, 11, 19, 23, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_as_the_clock_on_the_wall_has_it(written: str, meant: datetime) -> None:
    assert read_moment(written, PARIS, NOW) == meant


@pytest.mark.parametrize("written", ["", "24:00", "8", "noon", "2026-13-01", "x" * 500])
def test_what_is_no_moment_is_refused(written: str) -> None:
    with pytest.raises(BadInput, match="no moment"):
        read_moment(written, PARIS, NOW)


@pytest.mark.parametrize("written", ["0001-01-01", "0001-01-01T00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_out_of_reach_is_refused(written: str) -> None:
    with pytest.raises(BadInput, match="out of reach"):
        read_moment(written, PARIS, NOW)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("90s", timedelta(seconds=90)),
        ("30min", timedelta(minutes=30)),
        ("30 m", timedelta(minutes=30)),
        ("2h", timedelta(hours=2)),
        ("1.5D", timedelta(hours=36)),
        ("2w", timedelta(weeks=2)),
    ],
)
def test_a_span_is_read_with_its_unit(written: str, meant: timedelta) -> None:
    assert read_span(written) == meant


@pytest.mark.parametrize("written", ["", "2", "h", "0h", "-2h", "2y", "99999999d", "9" * 400 + "s"])
def test_what_is_no_span_is_refused(written: str) -> None:
    with pytest.raises(BadInput, match="no span"):
        read_span(written)
