"""What is kept of an error."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from callboard.core.error_words import words_of
from callboard.core.limits import MAX_ERROR


def test_an_error_says_what_it_says() -> None:
    assert words_of(ValueError("batch_size is 0.")) == "batch_size is 0."


def test_an_error_that_says_nothing_is_known_by_its_name() -> None:
    assert words_of(TimeoutError()) == "TimeoutError"
    assert words_of(ValueError("  ")) == "ValueError"


def test_of_a_databases_error_nothing_is_kept_but_the_servers_sentence(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.execute(text("SELECT 1 / :zero AS a, :secret"), {"zero": 0, "secret": "+33612345678"})

    assert "+33612345678" in str(caught.value)
    assert words_of(caught.value) == "division by zero"


def test_what_is_too_long_or_cannot_be_stored_is_cut_and_replaced() -> None:
    words = words_of(RuntimeError("a\0" * MAX_ERROR))

    assert len(words) == MAX_ERROR
    assert "\0" not in words
    assert "[cut: " in words
