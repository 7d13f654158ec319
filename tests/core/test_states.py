"""The states of a run: which follow which, and which of two reports is the later one."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.core.states import FINAL, Disposition, RunState, can_go, rank

ATTEMPTS = st.integers(1, 1_000)
STATES = st.sampled_from(RunState)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("pending", {"processing", "skipped", "cancelled", "failed", "dead"}),
        ("processing", {"pending", "succeeded", "failed", "cancelled", "dead"}),
        ("succeeded", set()),
        ("failed", set()),
        ("cancelled", set()),
        ("skipped", set()),
        ("dead", set()),
    ],
)
def test_what_may_follow_a_state(before: str, after: set[str]) -> None:
    assert {state.value for state in RunState if can_go(before, state)} == after


def test_a_final_state_is_one_that_nothing_follows() -> None:
    assert {state for state in RunState if not any(can_go(state, other) for other in RunState)} == FINAL


def test_every_state_can_be_reached_from_pending() -> None:
    reached = {RunState.PENDING}
    while more := {b for a, b in product(reached, RunState) if can_go(a, b)} - reached:
        reached |= more
    assert reached == set(RunState)


def test_a_word_that_is_no_state_is_refused() -> None:
    with pytest.raises(ValueError, match="'running' is not a valid RunState"):
        can_go("pending", "running")
    with pytest.raises(ValueError, match="'running' is not a valid RunState"):
        rank("running", 1)


def test_ranks_are_ten_times_the_attempt_and_the_phase() -> None:
    assert [rank(state, 3) for state in ("pending", "processing", "succeeded")] == [30, 35, 39]
    assert {rank(state, 1) for state in FINAL} == {19}


@given(STATES, STATES, ATTEMPTS)
def test_a_step_within_an_attempt_raises_the_rank(before: RunState, after: RunState, attempt: int) -> None:
    if can_go(before, after) and after is not RunState.PENDING:
        assert rank(after, attempt) > rank(before, attempt)


@given(STATES, STATES, ATTEMPTS, ATTEMPTS)
def test_whatever_is_of_a_later_attempt_ranks_higher(
    one: RunState, other: RunState, attempt: int, further: int
) -> None:
    assert rank(other, attempt + further) > rank(one, attempt)


@given(st.lists(st.tuples(STATES, st.integers(1, 5)), min_size=1), st.randoms())
def test_reports_lead_to_the_same_end_in_any_order(
    reports: list[tuple[RunState, int]], random: object
) -> None:
    def settle(order: list[tuple[RunState, int]]) -> int:
        known = 0
        for state, attempt in order:
            known = max(known, rank(state, attempt))
        return known

    shuffled = list(reports)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert settle(shuffled) == settle(reports)


def test_states_and_dispositions_are_their_words() -> None:
    assert f"{RunState.PENDING}" == "pending"
    assert RunState("dead") == "dead"
    assert {str(disposition) for disposition in Disposition} == {
        "fired",
        "late",
        "skipped_overlap",
        "skipped_paused",
        "skipped_disabled",
        "skipped_breaker",
        "skipped_stale",
        "missed",
        "coalesced",
        "cancelled",
    }
