"""How long a failed run waits: growing, capped, and spread by chance within bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.core.backoff import MAX_DELAY_MS, Backoff, exponential, fixed, linear, parse_backoff
from callboard.core.errors import BadInput

DELAYS = st.integers(0, MAX_DELAY_MS)
CAPS = st.integers(0, 2 * MAX_DELAY_MS)
RETRIES = st.integers(1, 1_000_000)
CHANCE = st.floats(0, 1, exclude_max=True)
SHARES = st.floats(0, 1)


def policies(jitter: st.SearchStrategy[float]) -> st.SearchStrategy[Backoff]:
    return st.one_of(
        st.builds(linear, DELAYS, CAPS, jitter),
        st.builds(exponential, DELAYS, st.floats(1, 1e300), CAPS, jitter),
        st.builds(fixed, DELAYS, jitter),
    )


def first_delays(policy: Backoff, count: int = 5) -> list[int]:
    return [policy.delay_ms(retry, lambda: 0.0) for retry in range(1, count + 1)]


def test_linear_is_five_ten_fifteen_seconds() -> None:
    assert first_delays(linear(), 3) == [5_000, 10_000, 15_000]
    assert first_delays(linear(step_ms=200, cap_ms=500)) == [200, 400, 500, 500, 500]


def test_exponential_doubles_from_fifteen_seconds_to_seven_days() -> None:
    assert first_delays(exponential()) == [15_000, 30_000, 60_000, 120_000, 240_000]
    assert exponential(jitter=0).delay_ms(17) == MAX_DELAY_MS
    assert first_delays(exponential(min_ms=100, factor=3, cap_ms=2_000)) == [100, 300, 900, 2_000, 2_000]


def test_fixed_is_the_same_each_time() -> None:
    assert first_delays(fixed(7_000)) == [7_000] * 5
    assert fixed(delay_ms=3) == fixed(3)


@given(policies(st.just(0.0)), RETRIES, RETRIES)
def test_a_later_retry_waits_no_shorter(policy: Backoff, one: int, other: int) -> None:
    assert policy.delay_ms(min(one, other)) <= policy.delay_ms(max(one, other))


@given(policies(SHARES), RETRIES, CHANCE)
def test_no_delay_is_negative_or_longer_than_dramatiq_delays_a_message(
    policy: Backoff, retry: int, chance: float
) -> None:
    assert 0 <= policy.delay_ms(retry, lambda: chance) <= MAX_DELAY_MS


@given(DELAYS, CAPS, SHARES, RETRIES, CHANCE)
def test_no_delay_is_longer_than_the_cap(
    least: int, cap: int, jitter: float, retry: int, chance: float
) -> None:
    for policy in (linear(least, cap, jitter), exponential(least, 2, cap, jitter)):
        assert policy.delay_ms(retry, lambda: chance) <= cap


@given(DELAYS, SHARES, RETRIES, CHANCE)
def test_jitter_takes_off_up_to_its_share(step: int, jitter: float, retry: int, chance: float) -> None:
    for calm, spread in (
        (linear(step), linear(step, jitter=jitter)),
        (exponential(step, jitter=0), exponential(step, jitter=jitter)),
        (fixed(step), fixed(step, jitter=jitter)),
    ):
        whole, delay = calm.delay_ms(retry), spread.delay_ms(retry, lambda: chance)
        assert whole * (1 - jitter) - 1 <= delay <= whole
        assert delay == pytest.approx(whole * (1 - jitter * chance), abs=1.001)


def test_chance_really_spreads_the_delays() -> None:
    delays = {exponential().delay_ms(4) for _ in range(200)}

    assert len(delays) > 100
    assert all(60_000 <= delay <= 120_000 for delay in delays)


def test_a_retry_of_absurd_number_is_answered_at_once() -> None:
    assert exponential(jitter=0).delay_ms(10**9) == MAX_DELAY_MS
    assert exponential(min_ms=0).delay_ms(10**9) == 0
    assert linear().delay_ms(10**12) == MAX_DELAY_MS


@pytest.mark.parametrize("retry", [0, -1])
def test_retries_are_counted_from_one(retry: int) -> None:
    for policy in (linear(), exponential(), fixed()):
        with pytest.raises(BadInput, match="counted from 1"):
            policy.delay_ms(retry)


def test_a_policy_is_named_or_given() -> None:
    assert parse_backoff("linear") == linear()
    assert parse_backoff("exponential") == exponential()
    assert parse_backoff("fixed") == fixed()
    mine = linear(step_ms=1)
    assert parse_backoff(mine) is mine


def test_a_policy_of_somebody_else_is_accepted() -> None:
    class Fibonacci:
        def delay_ms(self, retry: int, random: object = None) -> int:
            return retry if retry < 3 else self.delay_ms(retry - 1) + self.delay_ms(retry - 2)

    assert parse_backoff(Fibonacci()).delay_ms(6) == 13


@pytest.mark.parametrize(
    "value", ["quadratic", "", "LINEAR", None, 5, linear, object(), "x" * 1_000, type(linear())]
)
def test_what_is_no_policy_is_refused_with_advice(value: object) -> None:
    with pytest.raises(
        BadInput, match=r"^There is no backoff .* write linear, exponential or fixed"
    ) as caught:
        parse_backoff(value)  # type: ignore[arg-type]
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: linear(step_ms=-1), "step_ms"),
        (lambda: linear(cap_ms=-1), "cap_ms"),
        (lambda: linear(jitter=1.5), "jitter"),
        (lambda: linear(jitter=float("nan")), "jitter"),
        (lambda: exponential(min_ms=-1), "min_ms"),
        (lambda: exponential(factor=0.5), "factor"),
        (lambda: exponential(factor=float("inf")), "factor"),
        (lambda: exponential(factor=float("nan")), "factor"),
        (lambda: exponential(jitter=-0.1), "jitter"),
        (lambda: fixed(-5), "delay_ms"),
        (lambda: fixed(5, jitter=2), "jitter"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_by_the_name_of_the_parameter(
    make: "type[Backoff]", named: str
) -> None:
    with pytest.raises(BadInput, match=rf"^The {named} of a backoff"):
        make()


def test_a_policy_says_what_it_does() -> None:
    assert str(linear()) == "linear: 5 s, 10 s, 15 s and so on"
    assert str(exponential()) == "exponential: 15 s, 30 s, 60 s and so on"
    assert str(fixed(500)) == "fixed: 0.5 s"
