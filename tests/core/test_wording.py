"""Other people's words do no harm to a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.core.wording import MAX_MESSAGE, filled, greeting, one_line


@given(st.text(max_size=400), st.integers(1, 80))
def test_a_line_is_one_line_that_can_be_seen_and_is_no_longer_than_wanted(text: str, limit: int) -> None:
    found = one_line(text, limit)

    assert len(found) <= limit
    assert all(char.isprintable() or char in "\u200c\u200d" for char in found)
    assert found == one_line(found, limit)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Ada Lovelace", "Hello Ada Lovelace"),
        ("{name} %s {0}", "Hello {name} %s {0}"),
        ("Ada\x00\r\nBcc: everybody", "Hello Ada Bcc: everybody"),
        ("\u202egnal", "Hello gnal"),
        ("می\u200cنا", "Hello می\u200cنا"),
        ("\n\t ", "Hello"),
        ("x" * 10_000, f"Hello {'x' * 59}…"),
    ],
)
def test_people_are_greeted_by_their_names(name: str, expected: str) -> None:
    assert greeting(name) == expected


def test_a_template_is_filled_once_and_keeps_whatever_else_it_has() -> None:
    values = {"name": "{discount}", "discount": "10%", "promotion": "Spring"}

    assert filled("{name}: {discount} {promotion} {other} {} {0} %s {", values) == (
        "{discount}: 10% Spring {other} {} {0} %s {"
    )


def test_no_message_is_longer_than_what_is_taken() -> None:
    assert len(filled("{name}" * 10_000, {"name": "Ada"})) == MAX_MESSAGE
