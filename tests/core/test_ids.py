"""Ids of runs that follow from their slots."""

import uuid
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.core.errors import BadInput
from callboard.core.ids import SLOT_NAMESPACE, slot_run_id

DUE = datetime(2025, 3, 30, 1, 0, tzinfo=UTC)


def test_the_id_of_a_slot_never_changes() -> None:
    # An id that changed between two releases would let the slots around the upgrade run twice.
    assert slot_run_id(1, DUE) == uuid.UUID("5e1979e3-df93-53da-899a-1782abb072fc")
    assert slot_run_id(1, DUE) == uuid.uuid5(SLOT_NAMESPACE, "1:1743296400000")


def test_the_id_is_of_the_moment_however_it_is_written() -> None:
    assert slot_run_id(1, DUE.astimezone(ZoneInfo("Europe/Paris"))) == slot_run_id(1, DUE)


@given(
    st.sets(
        st.tuples(
            st.integers(1, 10**6),
            st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0)),
        ),
        min_size=2,
    )
)
def test_two_slots_have_two_ids(slots: set[tuple[int, datetime]]) -> None:
    assert len({slot_run_id(*slot) for slot in slots}) == len(slots)


def test_a_slot_without_a_time_zone_is_refused() -> None:
    with pytest.raises(BadInput, match="has no time zone"):
        slot_run_id(1, datetime(2025, 1, 1))  # noqa: DTZ001
