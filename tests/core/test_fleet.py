"""How processes stand, and which versions are old."""

from hypothesis import given
from hypothesis import strategies as st

from callboard.core.fleet import ORDINARY_S, is_older, life_of, newest

VERSIONS = st.builds(
    lambda numbers, rest: ".".join(map(str, numbers)) + rest,
    st.lists(st.integers(0, 30), min_size=1, max_size=4),
    st.sampled_from(["", "rc1", ".dev3", "+local", "a2"]),
)


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(10, 3_600))
def test_a_longer_silence_is_never_a_better_sign(one: float, other: float, dead_s: float) -> None:
    order = ["alive", "silent", "dead"]
    shorter, longer = sorted((one, other))
    assert order.index(life_of(shorter, dead_s)) <= order.index(life_of(longer, dead_s))
    assert (life_of(longer, dead_s) == "dead") == (longer >= dead_s)


def test_two_signs_of_life_that_are_as_far_apart_as_they_may_be_are_no_silence() -> None:
    assert life_of(ORDINARY_S, 15) == "alive"
    assert life_of(12, 15) == "silent"
    assert life_of(15, 15) == "dead"


@given(st.lists(VERSIONS, min_size=1))
def test_no_version_is_newer_than_the_newest(versions: list[str]) -> None:
    latest = newest(versions)
    assert latest in versions
    assert not any(is_older(latest, version) for version in versions)


def test_versions_are_told_apart_by_their_numbers() -> None:
    assert is_older("0.9.0", "0.10.0")
    assert is_older("1.0.0rc1", "1.0.0")
    assert not is_older("1.0", "1.0.0")
    assert not is_older(None, "1.0.0")
    assert newest([None, ""]) is None
