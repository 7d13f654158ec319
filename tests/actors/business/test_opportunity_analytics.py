"""Figures of opportunities, on the real tables."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import Engine

from callboard.storage.tables.business import offers, opportunities
from helpers.customers import AddCustomer
from helpers.promises import Promise, assert_kept
from helpers.rows import add_row, change, refuse, rows

NOW = datetime(2026, 6, 10, 1, tzinfo=UTC)
DAY = timedelta(days=1)
FIGURES = """
SELECT day, source, created, offered, won, lost, expired, created_cents, won_cents
  FROM business.opportunity_daily ORDER BY 1, 2
"""


def add(engine: Engine, customer_id: int, created: datetime, **columns: Any) -> int:
    values = {"source": "web_form", "title": "Roof", "value_cents": 1_000, "created_at": created}
    return add_row(engine, opportunities, customer_id=customer_id, **(values | columns))


def aggregate(surroundings: Any, at: datetime = NOW, **arguments: Any) -> dict[str, Any]:
    with time_machine.travel(at, tick=False):
        result: dict[str, Any] = surroundings.get_actor("aggregate-opportunity-analytics")(**arguments)
    return result


def test_the_job_is_declared_as_promised(surroundings: Any) -> None:
    promise = Promise("0 1 * * *", 300, 1, "analytics")
    assert_kept(surroundings, "aggregate-opportunity-analytics", promise)


def test_each_days_row_tells_what_happened_on_it(
    surroundings: Any, engine: Engine, add_customer: AddCustomer
) -> None:
    customer = add_customer()
    # Given what happened on the last moment of the 7th, and on the first of the 8th
    seventh, eighth = datetime(2026, 6, 7, 23, 59, 59, tzinfo=UTC), datetime(2026, 6, 8, tzinfo=UTC)
    won = add(engine, customer, seventh, status="won", closed_at=eighth, value_cents=5_000)
    add(engine, customer, seventh, status="lost", closed_at=eighth)
    add(engine, customer, eighth, status="expired", closed_at=eighth)
    add(engine, customer, eighth, source="missed_call")
    add_row(engine, offers, opportunity_id=won, discount_percent=5, made_at=eighth, expires_at=eighth + DAY)

    result = aggregate(surroundings)

    assert result == {"processed": 7, "failed": 0, "changed": 3, "removed": 0}
    assert rows(engine, FIGURES) == [
        (date(2026, 6, 7), "web_form", 2, 0, 0, 0, 0, 6_000, 0),
        (date(2026, 6, 8), "missed_call", 1, 0, 0, 0, 0, 1_000, 0),
        (date(2026, 6, 8), "web_form", 1, 1, 1, 1, 1, 1_000, 5_000),
    ]


def test_what_comes_late_is_taken_in_and_what_is_right_stays_as_it_is(
    surroundings: Any, engine: Engine, add_customer: AddCustomer
) -> None:
    customer = add_customer()
    gone = add(engine, customer, NOW - 2 * DAY)
    add(engine, customer, NOW - DAY)
    aggregate(surroundings)
    everything = "SELECT * FROM business.opportunity_daily ORDER BY day"
    before = rows(engine, everything)

    assert aggregate(surroundings, at=NOW + timedelta(hours=1))["changed"] == 0
    assert rows(engine, everything) == before

    add(engine, customer, NOW - DAY)
    change(engine, "DELETE FROM business.opportunities WHERE id = :id", id=gone)
    assert aggregate(surroundings, dry_run=True)["changed"] == 1
    assert rows(engine, everything) == before
    assert aggregate(surroundings) == {"processed": 7, "failed": 0, "changed": 1, "removed": 1}
    assert rows(engine, FIGURES) == [(date(2026, 6, 9), "web_form", 2, 0, 0, 0, 0, 2_000, 0)]


def test_days_says_how_far_back_they_are_counted_and_null_means_all_the_way(
    surroundings: Any, engine: Engine, add_customer: AddCustomer
) -> None:
    customer = add_customer()
    for age in (0, 1, 400):
        add(engine, customer, NOW - age * DAY)

    assert aggregate(surroundings, days=1) == {"processed": 1, "failed": 0, "changed": 1, "removed": 0}
    assert aggregate(surroundings, days=2)["changed"] == 1
    assert aggregate(surroundings, days=None, batch_size=7) == {
        "processed": 401,
        "failed": 0,
        "changed": 1,
        "removed": 0,
    }
    with pytest.raises(ValueError, match="days is 0"):
        aggregate(surroundings, days=0)


def test_all_days_of_nothing_is_today(surroundings: Any) -> None:
    assert aggregate(surroundings, days=None)["processed"] == 1


def test_a_day_that_cannot_be_counted_holds_up_no_other(
    surroundings: Any, engine: Engine, add_customer: AddCustomer
) -> None:
    customer = add_customer()
    for age in (0, 1, 2):
        add(engine, customer, NOW - age * DAY)
    refuse(engine, "business.opportunity_daily", "NEW.day = '2026-06-09'")

    result = aggregate(surroundings)

    assert result == {"processed": 6, "failed": 1, "changed": 2, "removed": 0}
    assert [row[0].day for row in rows(engine, FIGURES)] == [8, 10]
    assert rows(engine, "SELECT item FROM business.item_failures") == [("days:2026-06-09",)]
