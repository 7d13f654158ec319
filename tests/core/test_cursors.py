"""Cursors: what one page ends with is where the next begins."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.core.cursors import MAX_ID, cut_page, read_cursor
from callboard.core.errors import BadInput

MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2199, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS, st.integers(0, MAX_ID), st.uuids())
def test_a_cursor_is_read_as_the_place_that_it_was_made_of(at: datetime, number: int, uuid: UUID) -> None:
    for key, kind in ((number, int), (uuid, UUID)):
        rows = [(at, key), (at, key)]

        page, cursor = cut_page(rows, 1, lambda row: row)

        assert page == ((at, key),)
        assert read_cursor(cursor, kind) == (at, key)


@pytest.mark.parametrize("there", [0, 1, 2])
def test_a_page_that_holds_all_there_is_has_no_cursor(there: int) -> None:
    rows = [(datetime(2026, 1, 1, tzinfo=UTC), number) for number in range(there)]

    assert cut_page(rows, 2, lambda row: row) == (tuple(rows), None)
    assert read_cursor(None, int) is None


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "_",
        "x",
        "2026-01-01T00:00:00_1",
        "2026-01-01T00:00:00+00:00_",
        "2026-01-01T00:00:00+00:00_-1",
        f"2026-01-01T00:00:00+00:00_{MAX_ID + 1}",
        "2026-01-01T00:00:00+00:00_" + "9" * 5_000,
        "0001-01-01T00:00:00+14:00_1",
        "9999-12-31T23:59:59-14:00_1",
        "2026-01-01T00:00:00+00:00_0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d",
    ],
)
def test_what_is_no_cursor_is_refused_in_a_sentence(cursor: str) -> None:
    with pytest.raises(BadInput, match=r"There is no page .*; pass on the cursor as it came"):
        read_cursor(cursor, int)
