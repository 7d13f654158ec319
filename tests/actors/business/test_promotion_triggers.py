"""Whom the triggers give promotions, when, and how often."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from callboard.storage.tables.business import completed_jobs, promotion_triggers, promotions
from helpers.customers import AddCustomer
from helpers.rows import add_row, change, refuse, rows, value

NOW = datetime(2026, 6, 10, 10, tzinfo=UTC)
DAY = timedelta(days=1)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
GIVEN = "SELECT customer_id, due_on FROM business.promotion_deliveries ORDER BY id"


@pytest.fixture
def trigger(engine: Engine) -> Any:
    """Adds a promotion with a trigger. Returns the trigger's id."""

    def add(kind: str, promotion: dict[str, Any] | None = None, **columns: Any) -> int:
        count = value(engine, "SELECT count(*) FROM business.promotions")
        values = {"name": f"Promotion {count}", "text": "Hello {name}", "status": "active"}
        values |= {"starts_at": LONG_AGO} | (promotion or {})
        return add_row(
            engine,
            promotion_triggers,
            **({"promotion_id": add_row(engine, promotions, **values), "kind": kind} | columns),
        )

    return add


def job_done(engine: Engine, customer_id: int, at: datetime, cents: int = 10_000) -> None:
    add_row(
        engine, completed_jobs, customer_id=customer_id, title="Roof", amount_cents=cents, completed_at=at
    )


def check(surroundings: Any, at: datetime = NOW, **arguments: Any) -> dict[str, Any]:
    with time_machine.travel(at, tick=False):
        result: dict[str, Any] = surroundings.get_actor("promotion-triggers")(**arguments)
    return result


def queued(surroundings: Any, at: datetime = NOW, **arguments: Any) -> int:
    return int(check(surroundings, at, **arguments).get("queued", 0))


def test_a_customer_who_has_met_the_condition_gets_the_promotion_once(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, trigger: Any
) -> None:
    number = trigger("birthday")
    customer = add_customer(birthday=date(1980, 6, 10), time_zone="Europe/Paris")
    add_customer(birthday=date(1980, 6, 11))
    add_customer()

    assert check(surroundings) == {"processed": 3, "failed": 0, "queued": 1, "birthday": 1}
    assert check(surroundings) == {"processed": 3, "failed": 0, "queued": 0}

    columns = "customer_id, trigger_id, due_on, status, queued_at"
    assert rows(engine, f"SELECT {columns} FROM business.promotion_deliveries") == [
        (customer, number, date(2026, 6, 10), "queued", NOW)
    ]
    assert value(engine, "SELECT last_evaluated_at FROM business.promotion_triggers") == NOW


@pytest.mark.parametrize(
    ("born", "today", "expected"),
    [
        (date(1980, 2, 29), date(2026, 2, 28), True),
        (date(1980, 2, 29), date(2026, 3, 1), False),
        (date(1980, 2, 29), date(2028, 2, 28), False),
        (date(1980, 2, 29), date(2028, 2, 29), True),
        (date(1980, 2, 28), date(2026, 2, 28), True),
        (date(1980, 2, 28), date(2028, 2, 29), False),
        (date(1980, 12, 31), date(2026, 12, 31), True),
        (date(1980, 1, 1), date(2027, 1, 1), True),
    ],
)
def test_29_february_is_the_28th_in_years_without_one(
    surroundings: Any,
    engine: Engine,
    add_customer: AddCustomer,
    trigger: Any,
    born: date,
    today: date,
    expected: bool,
) -> None:
    trigger("birthday")
    add_customer(birthday=born)

    assert queued(surroundings, datetime(today.year, today.month, today.day, 10, tzinfo=UTC)) == expected


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("UTC", 10),
        ("Pacific/Kiritimati", 11),
        ("Pacific/Honolulu", 10),
        # There it is 23:00 on the 9th, and the message comes in the morning
        ("Pacific/Pago_Pago", 10),
        ("Mars/Olympus", 10),
    ],
)
def test_a_birthday_is_that_of_the_day_on_which_the_message_arrives(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, trigger: Any, zone: str, day: int
) -> None:
    trigger("birthday")
    customers = {
        number: add_customer(birthday=date(1980, 6, number), time_zone=zone) for number in (9, 10, 11)
    }

    assert queued(surroundings) == 1

    assert rows(engine, GIVEN) == [(customers[day], date(2026, 6, day))]


def test_who_has_had_nothing_done_for_so_many_days_is_inactive(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, trigger: Any
) -> None:
    trigger("inactive", days=60)
    just, not_yet, never, new = (add_customer(created_at=at) for at in (LONG_AGO, LONG_AGO, LONG_AGO, NOW))
    job_done(engine, just, NOW - 60 * DAY)
    job_done(engine, just, NOW - 90 * DAY)
    job_done(engine, not_yet, NOW - 59 * DAY)
    job_done(engine, not_yet, NOW - 90 * DAY)

    assert check(surroundings)["inactive"] == 2

    assert [customer for customer, _ in rows(engine, GIVEN)] == [just, never]
    assert new not in (just, never)


def test_who_has_joined_so_many_days_ago_gets_it_once_and_who_joined_long_ago_never(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, trigger: Any
) -> None:
    trigger("joined", days=3, cooldown_days=1)
    joined = add_customer(created_at=NOW)
    add_customer(created_at=NOW - 10 * DAY)

    counts = [queued(surroundings, NOW + number * DAY) for number in range(12)]

    assert counts == [0, 0, 0, 1, *[0] * 8]
    assert rows(engine, GIVEN) == [(joined, date(2026, 6, 13))]


def test_who_has_spent_the_amount_gets_it_and_again_for_spending_it_again(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, trigger: Any
) -> None:
    trigger("spent", days=30, amount_cents=50_000, cooldown_days=10)
    generous, thrifty, long_ago = add_customer(), add_customer(), add_customer()
    for age, cents in [(29, 20_000), (1, 30_000)]:
        job_done(engine, generous, NOW - age * DAY, cents)
    job_done(engine, thrifty, NOW - DAY, 49_999)
    job_done(engine, long_ago, NOW - 30 * DAY, 90_000)

    assert check(surroundings)["spent"] == 1
    assert queued(surroundings, NOW + 15 * DAY) == 0
    job_done(engine, generous, NOW + 16 * DAY, 50_000)
    assert queued(surroundings, NOW + 17 * DAY) == 1

    assert rows(engine, GIVEN) == [(generous, date(2026, 6, 10)), (generous, date(2026, 6, 27))]


def test_without_days_whatever_was_ever_spent_counts(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, trigger: Any
) -> None:
    trigger("spent", amount_cents=50_000)
    job_done(engine, add_customer(), LONG_AGO, 50_000)

    assert queued(surroundings) == 1


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cooldown=st.integers(1, 9), days=st.sets(st.integers(0, 40), min_size=1, max_size=15))
def test_the_cooldown_passes_between_any_two_and_no_longer(
    surroundings: Any,
    engine: Engine,
    add_customer: AddCustomer,
    trigger: Any,
    cooldown: int,
    days: set[int],
) -> None:
    change(engine, "TRUNCATE business.promotions, business.customers CASCADE")
    trigger("inactive", days=1, cooldown_days=cooldown)
    add_customer(created_at=LONG_AGO)

    # When the job runs on some days
    found = [day for day in sorted(days) if queued(surroundings, NOW + day * DAY)]

    # Then it gives on the first, and from then on, on each that is no less than the cooldown after the last
    expected: list[int] = []
    for day in sorted(days):
        if not expected or day - expected[-1] >= cooldown:
            expected.append(day)
    assert found == expected


@pytest.mark.parametrize(
    ("promotion", "columns", "customer"),
    [
        ({}, {"enabled": False}, {}),
        ({"status": "draft"}, {}, {}),
        ({"status": "ended"}, {}, {}),
        ({"starts_at": NOW + timedelta(seconds=1)}, {}, {}),
        ({"ends_at": NOW}, {}, {}),
        ({}, {}, {"phone": None}),
        ({}, {}, {"whatsapp_consent_at": None}),
        ({}, {}, {"marketing_consent_at": None}),
    ],
)
def test_nothing_is_given_without_consent_or_by_what_is_not_in_force(
    surroundings: Any,
    engine: Engine,
    add_customer: AddCustomer,
    trigger: Any,
    promotion: dict[str, Any],
    columns: dict[str, Any],
    customer: dict[str, Any],
) -> None:
    trigger("birthday", promotion, **columns)
    add_customer(birthday=date(1980, 6, 10), **customer)

    assert check(surroundings) == {"processed": 0, "failed": 0}
    assert rows(engine, GIVEN) == []


def test_two_triggers_of_one_promotion_give_it_once_a_day(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, trigger: Any
) -> None:
    first = trigger("birthday", cooldown_days=1)
    promotion = value(engine, "SELECT promotion_id FROM business.promotion_triggers")
    add_row(engine, promotion_triggers, promotion_id=promotion, kind="inactive", days=1, cooldown_days=1)
    add_customer(birthday=date(1980, 6, 10), created_at=LONG_AGO)

    assert check(surroundings)["queued"] == 1
    assert value(engine, "SELECT trigger_id FROM business.promotion_deliveries") == first


def test_numbers_of_days_beyond_all_dates_are_no_error(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, trigger: Any
) -> None:
    for kind in ("inactive", "joined", "birthday"):
        trigger(kind, days=2**31 - 1, cooldown_days=2**31 - 1)
    add_customer(birthday=date(1980, 6, 10))

    assert check(surroundings) == {"processed": 1, "failed": 0, "queued": 1, "birthday": 1}
    assert queued(surroundings, NOW + 365 * DAY) == 0


def test_a_run_for_one_promotion_or_customer_and_a_dry_run_leave_the_others_alone(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, trigger: Any
) -> None:
    trigger("birthday")
    trigger("birthday")
    promotion = value(engine, "SELECT max(id) FROM business.promotions")
    ada, _bob = (add_customer(birthday=date(1980, 6, 10)) for _ in range(2))

    dry = check(surroundings, dry_run=True)
    assert dry == {"processed": 2, "failed": 0, "queued": 4, "birthday": 4, "dry_run": True}
    assert rows(engine, GIVEN) == []
    assert value(engine, "SELECT count(last_evaluated_at) FROM business.promotion_triggers") == 0

    assert queued(surroundings, customer_id=ada, promotion_id=promotion) == 1
    assert queued(surroundings, promotion_id=promotion) == 1
    assert queued(surroundings, customer_id=ada) == 1
    assert queued(surroundings, batch_size=1) == 1


def test_a_customer_who_cannot_be_given_it_holds_up_no_other(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, trigger: Any
) -> None:
    trigger("birthday")
    bad, *good = (add_customer(birthday=date(1980, 6, 10)) for _ in range(3))
    refuse(engine, "business.promotion_deliveries", f"NEW.customer_id = {bad}")

    assert check(surroundings) == {"processed": 2, "failed": 1, "queued": 2, "birthday": 2}

    assert [customer for customer, _ in rows(engine, GIVEN)] == good
    assert rows(engine, "SELECT item FROM business.item_failures") == [(f"customers:{bad}",)]
