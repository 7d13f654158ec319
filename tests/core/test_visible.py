"""Characters that a screen obeys are seen instead."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.core.visible import visible


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b[31mred\x00\x7f", "␛[31mred␀␡"),
        ("\u202egpj.exe", "⟨202E⟩gpj.exe"),
        ("a\u200bb\ufeff\ud800", "a⟨200B⟩b⟨FEFF⟩⟨D800⟩"),
        ("one\r\ntwo\rthree\tfour", "one\ntwo\nthree\tfour"),
        ("שלום, 👩‍👩‍👧 café", "שלום, 👩‍👩‍👧 café"),
    ],
)
def test_what_is_obeyed_is_shown_and_the_rest_stays(text: str, seen: str) -> None:
    assert visible(text) == seen


@given(st.text())
def test_whatever_comes_can_be_sent_and_turns_nothing(text: str) -> None:
    seen = visible(text)

    assert visible(seen) == seen
    seen.encode()
    hidden = {char for char in seen if unicodedata.category(char) in {"Cc", "Cf", "Cs"}}
    assert hidden <= {"\n", "\t", "\u200c", "\u200d"}
