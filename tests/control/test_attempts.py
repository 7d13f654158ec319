import pytest

from callboard.control.attempts import MOST, REMEMBERED, WINDOW_S, Attempts, TooManyAttempts


class Clock:
    now = 1_000.0

    def __call__(self):
        return self.now


def test_the_wait_ends_when_the_oldest_failure_is_out_of_the_window():
    clock = Clock()
    attempts = Attempts(clock)
    for _ in range(MOST):
        attempts.check("10.0.0.1", b"x")
        attempts.fail("10.0.0.1")
    clock.now += 60

    with pytest.raises(TooManyAttempts, match="try again in 4 minutes") as caught:
        attempts.check("10.0.0.1", b"x")
    assert caught.value.retry_after_s == WINDOW_S - 60
    attempts.check("10.0.0.2", b"x")

    clock.now += WINDOW_S - 60
    attempts.check("10.0.0.1", b"x")


def test_only_the_failure_that_fills_the_measure_is_told():
    attempts = Attempts(Clock())

    assert [attempts.fail("a") for _ in range(MOST)] == [False] * (MOST - 1) + [True]


def test_a_token_that_was_right_lately_is_taken_among_wrong_ones():
    clock = Clock()
    attempts = Attempts(clock)
    attempts.succeed(b"right")
    for _ in range(MOST):
        attempts.fail(None)

    attempts.check(None, b"right")
    with pytest.raises(TooManyAttempts):
        attempts.check(None, b"wrong")


def test_a_flood_from_many_addresses_takes_no_more_memory():
    attempts = Attempts(Clock())
    for number in range(REMEMBERED + 100):
        attempts.fail(str(number))
        attempts.succeed(str(number).encode())

    assert len(attempts._failures) == len(attempts._right) == REMEMBERED
