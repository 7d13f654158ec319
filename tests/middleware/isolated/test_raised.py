"""Exceptions that come from another process: the same type, words, causes and traceback."""

import pickle
import traceback
from typing import Any

import pytest
from dramatiq import Retry

from callboard.core.fingerprint import fingerprint
from callboard.middleware.isolated.raised import MAX_PICKLED, put_together, take_apart


class Demanding(ValueError):
    """Asks for more than pickle gives it."""

    def __init__(self, code: int, *, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code


class Wordless(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def carried(error: BaseException) -> BaseException:
    """The exception as it arrives on the other side."""
    return put_together(pickle.loads(pickle.dumps(take_apart(error))))


def raised(function: Any, *arguments: Any) -> BaseException:
    """What a function raises."""
    try:
        function(*arguments)
    except BaseException as error:  # noqa: BLE001
        return error
    raise AssertionError("it raised nothing")


def divide(by: int) -> float:
    return 1 / by


def wrap(by: int) -> float:
    try:
        return divide(by)
    except ZeroDivisionError as error:
        raise LookupError("no quotient") from error


def test_an_exception_arrives_with_its_traceback() -> None:
    error = raised(divide, 0)
    again = carried(error)
    assert type(again) is ZeroDivisionError
    assert plain(again) == plain(error)
    assert "in divide" in plain(again)
    assert "return 1 / by" in plain(again)


def plain(error: BaseException) -> str:
    """A traceback without the marks below its lines, which nobody can rebuild."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    return "\n".join(line for line in lines if set(line) - set(" ^~"))


def test_its_causes_arrive_too() -> None:
    error = raised(wrap, 0)
    again = carried(error)
    assert type(again.__cause__) is ZeroDivisionError
    assert plain(again) == plain(error)

    def stumble() -> None:
        try:
            divide(0)
        except ZeroDivisionError:
            raise KeyError("x") from None

    assert "ZeroDivisionError" not in plain(carried(raised(stumble)))


def test_it_is_the_same_error_by_its_fingerprint() -> None:
    error = raised(wrap, 0)
    again = carried(error)
    assert fingerprint("LookupError", plain(again)) == fingerprint("LookupError", plain(error))


def test_a_retry_keeps_its_delay() -> None:
    again = carried(Retry("later", delay=500))
    assert isinstance(again, Retry)
    assert (again.delay, str(again)) == (500, "later")


def test_one_that_cannot_be_pickled_keeps_its_name_its_words_and_what_it_is() -> None:
    class Local(ConnectionError):
        pass

    again = carried(Local("out there"))
    assert (type(again).__name__, str(again)) == ("Local", "out there")
    assert isinstance(again, ConnectionError)

    again = carried(Demanding(7, reason="why not"))
    assert (type(again).__name__, str(again)) == ("Demanding", "7: why not")
    assert isinstance(again, Demanding)

    error = OSError(2, "No such file")
    error.handle = lambda: None  # type: ignore[attr-defined]
    assert isinstance(carried(error), FileNotFoundError)
    assert str(carried(error)) == "[Errno 2] No such file"


def test_one_that_fails_to_say_anything_arrives_all_the_same() -> None:
    class Silent(Wordless):
        pass

    assert type(carried(Silent())).__name__ == "Silent"
    assert str(carried(Silent())) == "<Silent>"


def test_one_that_carries_too_much_is_cut() -> None:
    again = carried(ValueError("x" * (MAX_PICKLED + 1)))
    assert isinstance(again, ValueError)
    assert str(again).endswith("characters]")
    assert len(str(again)) < 10_000


def test_a_long_chain_and_a_deep_traceback_are_bounded() -> None:
    def chain(length: int) -> None:
        try:
            if length:
                chain(length - 1)
            raise ValueError(str(length))
        except ValueError as error:
            raise KeyError(length) from error

    parcel = take_apart(raised(chain, 100))
    assert len(pickle.dumps(parcel)) < 1_000_000
    assert isinstance(put_together(parcel), KeyError)

    def recurse() -> None:
        recurse()

    assert isinstance(carried(raised(recurse)), RecursionError)


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_what_is_no_exception_but_is_raised_arrives(error: BaseException) -> None:
    assert type(carried(error)) is type(error)
    assert carried(error).args == error.args


def test_groups_arrive_with_what_is_in_them() -> None:
    group = ExceptionGroup("two", [ValueError("a"), KeyError("b")])
    again = carried(group)
    assert isinstance(again, ExceptionGroup)
    assert [type(error) for error in again.exceptions] == [ValueError, KeyError]


def test_notes_arrive() -> None:
    error = ValueError("a")
    error.add_note("while counting")
    assert "while counting" in plain(carried(error))
