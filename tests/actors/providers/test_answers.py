"""What services say when they refuse."""

import json

import pytest

from callboard.actors.providers.answers import LONGEST, explanation


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"error": {"code": 131026, "message": "Undeliverable", "type": "O"}}, ("131026", "Undeliverable")),
        ({"success": False, "errors": [{"code": 10000, "message": "No."}]}, ("10000", "No")),
        ({"error": True, "reason": "Parameter 'latitude' is wrong."}, ("", "Parameter 'latitude' is wrong")),
        ({"error": "not_found", "message": "No such player"}, ("not_found", "No such player")),
        ({"error": "No such player."}, ("", "No such player")),
        ({"title": "Conflict", "detail": "It is\n  taken."}, ("", "It is taken")),
        ({"code": "E1", "error": "what", "message": "Words"}, ("E1", "Words")),
        ({"errors": []}, ("", "")),
        ({"error": {"code": True, "message": ["x"]}}, ("", "")),
        (["x"], ("", "")),
    ],
)
def test_code_and_sentence_are_found_in_the_shapes_that_are_about(
    said: object, found: tuple[str, str]
) -> None:
    assert explanation(json.dumps(said).encode()) == found


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[" * 100_000])
def test_a_body_that_says_nothing_is_nothing(body: bytes) -> None:
    assert explanation(body) == ("", "")


def test_somebody_elses_words_are_cut_and_their_secrets_hidden() -> None:
    code, sentence = explanation(json.dumps({"message": "token=abcdef " + "x" * 1_000}).encode())

    assert code == ""
    assert len(sentence) <= LONGEST
    assert sentence.startswith("token=*** x")
