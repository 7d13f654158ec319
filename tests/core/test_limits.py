"""Cutting what is too long, where everybody sees it; and what PostgreSQL cannot store."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.core.limits import cut, storable


@given(st.text(max_size=300), st.integers(0, 400))
def test_the_result_is_never_longer_than_the_limit_and_whole_if_it_fits(text: str, limit: int) -> None:
    result = cut(text, limit)

    assert len(result) <= limit
    assert (result == text) == (len(text) <= limit)


@given(st.text("ab", min_size=100, max_size=2_000), st.integers(50, 99))
def test_the_note_counts_what_is_missing(text: str, limit: int) -> None:
    result = cut(text, limit)

    kept, _, note = result.partition("... [cut: ")
    assert text.startswith(kept)
    assert note == f"{len(text) - len(kept)} of {len(text)} characters]"
    assert len(result) == limit


@pytest.mark.parametrize("limit", [0, 1, 10, 30])
def test_a_limit_too_small_for_the_note_leaves_the_beginning(limit: int) -> None:
    assert cut("x" * 1_000, limit) == "x" * limit


def test_a_limit_of_less_than_nothing_leaves_nothing() -> None:
    assert cut("text", -1) == ""


def test_a_long_text_is_cut_as_announced() -> None:
    assert cut("x" * 20_000, 8_192) == "x" * 8_156 + "... [cut: 11844 of 20000 characters]"


def test_characters_that_postgresql_refuses_are_replaced_one_by_one() -> None:
    assert storable("a\0b\ud800c\udfff") == "a\ufffdb\ufffdc\ufffd"
    assert storable("naïve 🎭\n\t") == "naïve 🎭\n\t"


@given(st.text(st.characters()))
def test_what_is_storable_can_be_encoded_and_keeps_its_length(text: str) -> None:
    result = storable(text)

    assert len(result) == len(text)
    assert b"\0" not in result.encode()
