"""What is answered to what comes in."""

import pytest

from callboard.actors.replies import ANSWERS, INTENTS, Inbound, answer, intent_of
from callboard.core.errors import BadInput


@pytest.mark.parametrize(
    ("said", "intent"),
    [
        ("Hello there", "greeting"),
        ("Hi, how much is a new roof?", "price"),
        ("Bonjour, pouvez-vous me faire un devis ?", "price"),
        ("can I book for Tuesday", "booking"),
        ("un rendez-vous demain ?", "booking"),
        ("STOP", "stop"),
        ("Hello, please stop writing to me", "stop"),
        ("Could you stop by on Thursday?", "other"),
        ("I want to complain", "human"),
        ("merci !", "thanks"),
        ("the gate is blue", "other"),
        # No word of an intent, though its letters are in it.
        ("this is nonstopped", "other"),
    ],
)
def test_the_intent_is_known_by_its_words_and_to_be_left_alone_comes_first(said: str, intent: str) -> None:
    assert intent_of(said) == intent


def test_every_intent_has_an_answer_in_english() -> None:
    for name in [*(name for name, _ in INTENTS), "other"]:
        assert ANSWERS[name]["en"]


def test_the_answer_is_in_the_customers_language_and_by_the_first_name() -> None:
    assert answer(Inbound("merci", "Zoé Martin", "fr")) == "Je vous en prie, Zoé !"
    assert answer(Inbound("gracias", "Ana", "es")) == "You are welcome, Ana!"
    assert answer(Inbound("thanks")) == "You are welcome!"


def test_a_name_in_braces_is_a_name() -> None:
    assert answer(Inbound("thanks", "{0}")) == "You are welcome, {0}!"


def test_nothing_is_answered_to_nothing() -> None:
    with pytest.raises(BadInput, match="empty"):
        answer(Inbound(" \n"))
