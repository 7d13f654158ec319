"""Made-up rows come of the seed and the day alone."""

from datetime import date

from callboard.core.demo import make

DAY = date(2026, 3, 1)


def made(seed: int) -> list[tuple[str, list[tuple[object, ...]]]]:
    return [(rows.table, list(rows.rows)) for rows in make(50, seed, DAY)]


def test_the_same_seed_and_day_give_the_same_rows_and_another_seed_others() -> None:
    first = made(7)
    assert made(7) == first
    others = dict(made(8))
    same = {table for table, rows in first if others[table] == rows}
    assert same == {"loyalty_tiers", "achievements", "promotions", "promotion_triggers", "locations"} | (
        same & {"sync_cursors"}
    )


def test_there_are_as_many_competitors_as_asked_for() -> None:
    rows = {rows.table: list(rows.rows) for rows in make(1, 7, DAY, competitors=30)}
    assert len(rows["competitors"]) == 30
    assert len(rows["customers"]) == 1
