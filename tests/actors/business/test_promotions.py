"""Promotions' deliveries and figures, on the real tables."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import Connection, Engine

from callboard.storage.business import promotions as statements
from callboard.storage.tables.business import promotion_deliveries, promotions
from helpers.customers import AddCustomer
from helpers.promises import Promise, assert_kept
from helpers.rows import add_row, change, refuse, rows

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PROMISED = {
    "process-promotion-deliveries": Promise("*/30 * * * *", 300, 2, "promotions"),
    "calculate-promotion-analytics": Promise("0 2 * * *", 300, 1, "promotions"),
    "promotion-triggers": Promise("0 10 * * *", 600, 2, "promotions"),
}
MESSAGES = 'SELECT "idempotencyKey", "to", payload->>\'text\' FROM business."OutboundJob" ORDER BY id'
STATES = "SELECT status, reason FROM business.promotion_deliveries ORDER BY id"
FIGURES = """
SELECT promotion_id, day, queued, sent, failed, passed_over, opened, redeemed, revenue_cents
  FROM business.promotion_daily ORDER BY 1, 2
"""


def promote(engine: Engine, **columns: Any) -> int:
    values = {"name": "Spring", "text": "Hello {name}, {discount} off: {promotion}!", "discount_percent": 20}
    values |= {"status": "active", "starts_at": NOW - 30 * DAY}
    return add_row(engine, promotions, **(values | columns))


def deliver(engine: Engine, promotion_id: int, customer_id: int, **columns: Any) -> int:
    values = {"promotion_id": promotion_id, "customer_id": customer_id, "due_on": NOW.date()}
    return add_row(engine, promotion_deliveries, **({"queued_at": NOW} | values | columns))


def run(surroundings: Any, name: str, at: datetime = NOW, **arguments: Any) -> dict[str, Any]:
    with time_machine.travel(at, tick=False):
        result: dict[str, Any] = surroundings.get_actor(name)(**arguments)
    return result


def process(surroundings: Any, **arguments: Any) -> dict[str, Any]:
    return run(surroundings, "process-promotion-deliveries", **arguments)


def calculate(surroundings: Any, **arguments: Any) -> dict[str, Any]:
    return run(surroundings, "calculate-promotion-analytics", **arguments)


def result(sent: int = 0, passed_over: int = 0, ended: int = 0, failed: int = 0) -> dict[str, int]:
    counts = {"processed": sent + passed_over, "failed": 0}
    if sent + passed_over:
        counts |= {"sent": sent, "passed_over": passed_over}
    return {**counts, "promotions_ended": ended, "messages_failed": failed}


@pytest.mark.parametrize("name", PROMISED)
def test_the_jobs_are_declared_as_promised(surroundings: Any, name: str) -> None:
    assert_kept(surroundings, name, PROMISED[name])


def test_a_queued_delivery_is_sent_once(surroundings: Any, engine: Engine, add_customer: AddCustomer) -> None:
    number = deliver(engine, promote(engine), add_customer(name="Ada", phone="+33612345678"))

    assert process(surroundings) == result(sent=1)
    assert process(surroundings) == result()

    assert rows(engine, MESSAGES) == [(f"delivery:{number}", "+33612345678", "Hello Ada, 20% off: Spring!")]
    ((kind, marketing, template),) = rows(
        engine, """SELECT kind, marketing, payload->'template' FROM business."OutboundJob" """
    )
    assert (kind, marketing) == ("template", True)
    assert template == {
        "name": "promotion",
        "language": "en",
        "parameters": ["Hello Ada, 20% off: Spring!"],
    }
    assert rows(
        engine,
        """
        SELECT d.status, d.reason, d.handled_at, o."idempotencyKey"
          FROM business.promotion_deliveries d JOIN business."OutboundJob" o ON o.id = d.outbound_id
        """,
    ) == [("sent", None, NOW, f"delivery:{number}")]


@pytest.mark.parametrize(
    ("customer", "promotion", "reason"),
    [
        ({"phone": None}, {}, "no telephone number"),
        ({"whatsapp_consent_at": None}, {}, "no consent"),
        ({"marketing_consent_at": None}, {}, "no consent"),
        ({"marketing_consent_at": NOW + DAY}, {}, "no consent"),
        ({}, {"status": "ended"}, "the promotion has ended"),
        ({}, {"ends_at": NOW}, "the promotion has ended"),
        # At noon UTC it is one in the night in Auckland's June, and the promotion ends at eight
        (
            {"time_zone": "Pacific/Auckland"},
            {"ends_at": NOW + timedelta(hours=8)},
            "the promotion ends before it may arrive",
        ),
    ],
)
def test_what_must_not_be_sent_is_passed_over_with_the_reason(
    surroundings: Any,
    engine: Engine,
    add_customer: AddCustomer,
    customer: dict[str, Any],
    promotion: dict[str, Any],
    reason: str,
) -> None:
    deliver(engine, promote(engine, **promotion), add_customer(**customer))

    found = process(surroundings)

    assert (found["sent"], found["passed_over"]) == (0, 1)
    assert rows(engine, STATES) == [("passed_over", reason)]
    assert rows(engine, MESSAGES) == []


@pytest.mark.parametrize(
    ("promotion", "delivery"),
    [
        ({"status": "draft"}, {}),
        ({"starts_at": NOW + timedelta(seconds=1)}, {}),
        ({}, {"due_on": NOW.date() + DAY}),
    ],
)
def test_drafts_and_what_is_not_yet_due_wait(
    surroundings: Any,
    engine: Engine,
    add_customer: AddCustomer,
    promotion: dict[str, Any],
    delivery: dict[str, Any],
) -> None:
    deliver(engine, promote(engine, **promotion), add_customer(), **delivery)

    assert process(surroundings) == result()
    assert rows(engine, STATES) == [("queued", None)]


def test_a_delivery_is_due_when_its_day_has_come_where_the_customer_lives(
    surroundings: Any, engine: Engine, add_customer: AddCustomer
) -> None:
    promotion = promote(engine)
    for zone in ("Pacific/Auckland", "UTC", "Mars/Olympus"):
        deliver(engine, promotion, add_customer(time_zone=zone), due_on=date(2026, 6, 11))

    process(surroundings)

    assert [state for state, _ in rows(engine, STATES)] == ["sent", "queued", "queued"]


def test_promotions_end_when_their_time_is_over(surroundings: Any, engine: Engine) -> None:
    over = promote(engine, ends_at=NOW)
    promote(engine, name="Summer", ends_at=NOW + DAY)
    promote(engine, name="Draft", status="draft", ends_at=NOW)

    assert process(surroundings, dry_run=True) == {**result(ended=1), "dry_run": True}
    assert process(surroundings) == result(ended=1)
    assert process(surroundings) == result()

    assert rows(engine, "SELECT id FROM business.promotions WHERE status = 'ended'") == [(over,)]


def test_a_delivery_whose_message_fails_for_good_has_failed_unless_it_goes_out_after_all(
    surroundings: Any, engine: Engine, add_customer: AddCustomer
) -> None:
    deliver(engine, promote(engine), add_customer())
    process(surroundings)
    ended = 'UPDATE business."OutboundJob" SET status = :status, error = :error, "completedAt" = :at'

    change(engine, ended, status="failed", error="no such number", at=NOW)
    assert process(surroundings) == result(failed=1)
    assert process(surroundings) == result()
    assert rows(engine, STATES) == [("failed", "no such number")]

    change(engine, ended, status="done", error=None, at=NOW)
    assert process(surroundings) == result()
    assert rows(engine, STATES) == [("sent", None)]


def test_a_run_for_one_promotion_or_customer_and_a_dry_run_leave_the_others_alone(
    surroundings: Any, engine: Engine, add_customer: AddCustomer
) -> None:
    spring, summer = promote(engine), promote(engine, name="Summer")
    ada, bob = add_customer(), add_customer()
    for promotion in (spring, summer):
        for customer in (ada, bob):
            deliver(engine, promotion, customer)

    assert process(surroundings, dry_run=True) == {**result(sent=4), "dry_run": True}
    assert rows(engine, MESSAGES) == []
    assert process(surroundings, promotion_id=summer, customer_id=bob) == result(sent=1)
    assert [state for state, _ in rows(engine, STATES)] == ["queued", "queued", "queued", "sent"]
    assert process(surroundings, promotion_id=summer) == result(sent=1)
    assert process(surroundings, customer_id=bob) == result(sent=1)
    assert process(surroundings, batch_size=1) == result(sent=1)


@pytest.mark.parametrize("name", ["{discount} %s {0} {", "x" * 10_000, "\u202e\r\nTo: all"])
def test_hostile_names_and_templates_break_no_message(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, name: str
) -> None:
    template = "{name} {0} {name.__class__} %s {} {unknown} } { {discount}"
    deliver(engine, promote(engine, name=name, text=template), add_customer(name=name))

    assert process(surroundings) == result(sent=1)

    ((_, _, message),) = rows(engine, MESSAGES)
    assert message.endswith(" {0} {name.__class__} %s {} {unknown} } { 20%")
    assert len(message) < 200
    assert "\n" not in message


def test_a_delivery_that_cannot_be_sent_holds_up_no_other_and_is_tried_again(
    surroundings: Any, engine: Engine, add_customer: AddCustomer
) -> None:
    promotion = promote(engine)
    bad, *_ = [deliver(engine, promotion, add_customer()) for _ in range(3)]
    refuse(engine, "business.promotion_deliveries", f"NEW.id = {bad}")

    found = process(surroundings)
    assert (found["processed"], found["failed"], found["sent"]) == (2, 1, 2)
    assert [state for state, _ in rows(engine, STATES)] == ["queued", "sent", "sent"]
    assert rows(engine, "SELECT item FROM business.item_failures") == [(f"promotion_deliveries:{bad}",)]

    change(engine, "DROP TRIGGER on_write ON business.promotion_deliveries")
    assert process(surroundings) == result(sent=1)
    assert len(rows(engine, MESSAGES)) == 3


def test_a_run_broken_off_between_two_batches_sends_nothing_twice(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    promotion = promote(engine)
    for _ in range(5):
        deliver(engine, promotion, add_customer())
    settle, batches = statements.settle, []

    def break_off(connection: Connection, settled: Any, now: datetime) -> None:
        settle(connection, settled, now)
        batches.append(settled)
        if len(batches) == 2:
            raise KeyboardInterrupt

    # When a run ends from outside, its second batch written and not committed
    with monkeypatch.context() as patched:
        patched.setattr(statements, "settle", break_off)
        with pytest.raises(KeyboardInterrupt):
            process(surroundings, batch_size=2)
    assert len(rows(engine, MESSAGES)) == 2

    # Then the next one sends what is left
    assert process(surroundings, batch_size=2) == result(sent=3)
    assert len(rows(engine, MESSAGES)) == 5


def test_the_figures_tell_what_became_of_each_days_deliveries(
    surroundings: Any, engine: Engine, add_customer: AddCustomer
) -> None:
    spring, summer = promote(engine), promote(engine, name="Summer")
    yesterday = NOW - DAY
    for status, columns in [
        ("sent", {"opened_at": NOW, "redeemed_at": NOW, "revenue_cents": 700}),
        ("sent", {"opened_at": NOW}),
        ("failed", {}),
        ("passed_over", {}),
        ("queued", {}),
    ]:
        deliver(engine, spring, add_customer(), status=status, queued_at=yesterday, **columns)
    deliver(engine, summer, add_customer(), queued_at=datetime(2026, 6, 10, 0, 0, tzinfo=UTC))
    deliver(engine, summer, add_customer(), queued_at=datetime(2026, 6, 9, 23, 59, 59, tzinfo=UTC))

    assert calculate(surroundings) == {"processed": 2, "failed": 0, "changed": 3, "removed": 0}

    assert rows(engine, FIGURES) == [
        (spring, date(2026, 6, 9), 5, 2, 1, 1, 2, 1, 700),
        (summer, date(2026, 6, 9), 1, 0, 0, 0, 0, 0, 0),
        (summer, date(2026, 6, 10), 1, 0, 0, 0, 0, 0, 0),
    ]


def test_figures_are_counted_anew_for_late_events_and_stay_as_they_are_without(
    surroundings: Any, engine: Engine, add_customer: AddCustomer
) -> None:
    promotion = promote(engine)
    late = deliver(engine, promotion, add_customer(), status="sent", queued_at=NOW - 20 * DAY)
    gone = deliver(engine, promotion, add_customer(), status="sent", queued_at=NOW - 3 * DAY)
    calculate(surroundings)
    everything = "SELECT * FROM business.promotion_daily ORDER BY day"
    before = rows(engine, everything)

    # When nothing has happened, nothing is written
    assert calculate(surroundings, at=NOW + timedelta(hours=1))["changed"] == 0
    assert rows(engine, everything) == before

    # When something was opened late, and something has gone
    change(engine, "UPDATE business.promotion_deliveries SET opened_at = :at WHERE id = :id", at=NOW, id=late)
    change(engine, "DELETE FROM business.promotion_deliveries WHERE id = :id", id=gone)
    assert calculate(surroundings, dry_run=True)["changed"] == 1
    assert rows(engine, everything) == before
    assert calculate(surroundings) == {"processed": 1, "failed": 0, "changed": 1, "removed": 1}
    assert rows(engine, FIGURES) == [(promotion, date(2026, 5, 21), 1, 1, 0, 0, 1, 0, 0)]


def test_days_says_how_far_back_figures_go_and_null_means_all_the_way(
    surroundings: Any, engine: Engine, add_customer: AddCustomer
) -> None:
    spring, summer = promote(engine), promote(engine, name="Summer")
    for age in (0, 1, 400):
        for promotion in (spring, summer):
            deliver(engine, promotion, add_customer(), queued_at=NOW - age * DAY)

    assert calculate(surroundings, days=1)["changed"] == 2
    assert calculate(surroundings, days=2)["changed"] == 2
    assert calculate(surroundings, days=None, promotion_id=spring)["changed"] == 1
    assert calculate(surroundings, days=10**9, batch_size=1)["changed"] == 1
    with pytest.raises(ValueError, match="days is 0"):
        calculate(surroundings, days=0)


def test_a_promotion_that_cannot_be_counted_holds_up_no_other(
    surroundings: Any, engine: Engine, add_customer: AddCustomer
) -> None:
    bad, good = promote(engine), promote(engine, name="Summer")
    for promotion in (bad, good):
        deliver(engine, promotion, add_customer())
    refuse(engine, "business.promotion_daily", f"NEW.promotion_id = {bad}")

    assert calculate(surroundings) == {"processed": 1, "failed": 1, "changed": 1, "removed": 0}

    assert [row[0] for row in rows(engine, FIGURES)] == [good]
