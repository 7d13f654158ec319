"""Made-up rows come of the seed and the day alone, and agree with each other."""

from collections import Counter
from datetime import date

from callboard.core.demo import make

DAY = date(2026, 3, 1)


def test_the_same_seed_and_day_give_the_same_rows() -> None:
    assert list(make(50, 7, DAY)) == list(make(50, 7, DAY))


def test_another_seed_gives_other_rows() -> None:
    assert list(make(50, 7, DAY)) != list(make(50, 8, DAY))


def test_the_points_of_customers_are_the_sums_of_the_ledger() -> None:
    made = {rows.table: rows for rows in make(50, 7, DAY)}
    sums: Counter[int] = Counter()
    for customer, points, *_ in made["points_ledger"].rows:
        sums[customer] += points
    at = list(made["customers"].columns).index("points")
    assert {row[0]: row[at] for row in made["customers"].rows} == {key: sums[key] for key in range(1, 51)}
