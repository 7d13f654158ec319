import pytest

from callboard.control.marks import mark, success_rate


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (100.0, "ok"),
        (95.0, "ok"),
        (94.99, "warning"),
        (80.0, "warning"),
        (79.99, "bad"),
        (0.0, "bad"),
        (None, "none"),
    ],
)
def test_a_rate_is_marked_by_the_bounds_of_95_and_80(rate, expected):
    assert mark(rate) == expected


def test_the_rate_counts_successes_among_all_that_ended():
    assert success_rate(1235, 12) == 99.04
    assert success_rate(286, 2) == 99.31
    assert success_rate(0, 3) == 0.0


def test_there_is_no_rate_without_data():
    assert success_rate(0, 0) is None
