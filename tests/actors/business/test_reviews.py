"""Review requests and what follows them, on the real tables."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import Connection, Engine

from callboard.storage.business import reviews as statements
from callboard.storage.tables.business import completed_jobs, review_requests
from helpers.customers import AddCustomer
from helpers.promises import Promise, assert_kept
from helpers.rows import add_row, change, refuse, rows, value

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PROMISED = {
    "send-review-requests": Promise("0 */6 * * *", 300, 2, "reviews"),
    "review-follow-ups": Promise("0 9 * * *", 300, 2, "reviews"),
}
MESSAGES = 'SELECT "idempotencyKey", "to", payload->>\'text\' FROM business."OutboundJob" ORDER BY id'
REQUESTS = "SELECT id, status, reminders FROM business.review_requests ORDER BY id"
ALERTS = "SELECT severity, subject, message, details FROM callboard.alerts WHERE kind = 'review' ORDER BY id"


def complete(engine: Engine, customer_id: int, days_ago: float = 2, **columns: Any) -> int:
    """Adds a job that was completed so many days ago."""
    values = {"title": "A new roof", "amount_cents": 5_000, "completed_at": NOW - days_ago * DAY}
    return add_row(engine, completed_jobs, customer_id=customer_id, **(values | columns))


def ask(engine: Engine, customer_id: int, days_ago: float, **columns: Any) -> int:
    """Adds a request that was made so many days ago."""
    job = complete(engine, customer_id, days_ago + 2)
    values = {"completed_job_id": job, "customer_id": customer_id, "requested_at": NOW - days_ago * DAY}
    if "rating" in columns:
        values |= {"status": "reviewed", "reviewed_at": NOW}
    return add_row(engine, review_requests, **(values | columns))


def run(surroundings: Any, name: str, at: datetime = NOW, **arguments: Any) -> dict[str, Any]:
    with time_machine.travel(at, tick=False):
        result: dict[str, Any] = surroundings.get_actor(name)(**arguments)
    return result


def send(surroundings: Any, **arguments: Any) -> dict[str, Any]:
    return run(surroundings, "send-review-requests", **arguments)


def follow_up(surroundings: Any, **arguments: Any) -> dict[str, Any]:
    return run(surroundings, "review-follow-ups", **arguments)


def followed(reminded: int = 0, escalated: int = 0, expired: int = 0) -> dict[str, int]:
    steps = {"reminded": reminded, "escalated": escalated, "expired": expired}
    return {"processed": sum(steps.values()), "failed": 0, **(steps if any(steps.values()) else {})}


@pytest.mark.parametrize("name", PROMISED)
def test_the_jobs_are_declared_as_promised(surroundings: Any, name: str) -> None:
    assert_kept(surroundings, name, PROMISED[name])


def test_the_customer_of_a_completed_job_is_asked_once(
    surroundings: Any, engine: Engine, add_customer: AddCustomer
) -> None:
    job = complete(engine, add_customer(name="Ada Lovelace", phone="+33612345678"))

    assert send(surroundings) == {"processed": 1, "failed": 0, "requested": 1}
    assert send(surroundings) == {"processed": 0, "failed": 0}

    ((number, of, status, at, outbound),) = rows(
        engine, "SELECT id, completed_job_id, status, requested_at, outbound_id FROM business.review_requests"
    )
    assert (of, status, at) == (job, "requested", NOW)
    message = (
        "Hello Ada Lovelace, thank you for your trust. How did you like our work on “A new roof”?"
        " Please answer with 1 (bad) to 5 (very good)."
    )
    assert rows(engine, MESSAGES) == [(f"review:{number}", "+33612345678", message)]
    assert outbound == value(engine, 'SELECT id FROM business."OutboundJob"')
    ((kind, marketing, template),) = rows(
        engine, """SELECT kind, marketing, payload->'template' FROM business."OutboundJob" """
    )
    assert (kind, marketing, template["name"]) == ("template", False, "review_request")
    assert template["parameters"] == ["Ada Lovelace", "A new roof"]


@pytest.mark.parametrize(
    ("customer", "days_ago", "expected"),
    [
        ({}, 1, 1),
        ({}, 30, 1),
        ({}, 0.99, 0),
        ({}, 30.01, 0),
        ({"phone": None}, 2, 0),
        ({"whatsapp_consent_at": None}, 2, 0),
        ({"whatsapp_consent_at": NOW + DAY}, 2, 0),
        # A request is no promotion
        ({"marketing_consent_at": None}, 2, 1),
    ],
)
def test_only_who_can_be_reached_is_asked_between_a_day_and_a_month_after_the_work(
    surroundings: Any,
    engine: Engine,
    add_customer: AddCustomer,
    customer: dict[str, Any],
    days_ago: float,
    expected: int,
) -> None:
    complete(engine, add_customer(**customer), days_ago)

    assert send(surroundings)["processed"] == expected
    assert len(rows(engine, MESSAGES)) == expected


def test_the_message_waits_for_a_decent_hour_where_the_customer_lives(
    surroundings: Any, engine: Engine, add_customer: AddCustomer
) -> None:
    for zone in ("Europe/Paris", "Pacific/Auckland", "Mars/Olympus"):
        complete(engine, add_customer(time_zone=zone))

    send(surroundings)

    assert rows(engine, 'SELECT "runAt" FROM business."OutboundJob" ORDER BY id') == [
        (NOW,),
        (datetime(2026, 6, 10, 21, tzinfo=UTC),),
        (NOW,),
    ]


@pytest.mark.parametrize("batch_size", [1, 500])
def test_a_customer_is_asked_about_the_latest_job_and_has_one_open_request(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, batch_size: int
) -> None:
    customer = add_customer()
    complete(engine, customer, 5)
    latest = complete(engine, customer, 2)
    complete(engine, customer, 3)
    complete(engine, customer, 0.5)

    assert send(surroundings, batch_size=batch_size)["requested"] == 1
    asked = "SELECT completed_job_id FROM business.review_requests ORDER BY id"
    assert rows(engine, asked) == [(latest,)]

    # While it is open, nothing is asked about the job of this morning; afterwards it is
    assert send(surroundings, at=NOW + DAY)["processed"] == 0
    answered = "UPDATE business.review_requests SET status = 'reviewed', rating = 5, reviewed_at = :now"
    change(engine, answered, now=NOW)
    assert send(surroundings, at=NOW + DAY)["requested"] == 1
    assert len(rows(engine, asked)) == 2


def test_a_run_for_one_customer_and_a_dry_run_leave_the_others_alone(
    surroundings: Any, engine: Engine, add_customer: AddCustomer
) -> None:
    ada, bob, eve = add_customer(), add_customer(), add_customer()
    for customer in (ada, bob):
        complete(engine, customer)
    ask(engine, eve, 3)

    assert send(surroundings, dry_run=True)["requested"] == 2
    assert follow_up(surroundings, dry_run=True) == {**followed(reminded=1), "dry_run": True}
    assert len(rows(engine, REQUESTS)) == 1
    assert rows(engine, MESSAGES) == []

    assert send(surroundings, customer_id=bob)["requested"] == 1
    assert follow_up(surroundings, customer_id=bob) == followed()
    assert value(engine, 'SELECT "customerId" FROM business."OutboundJob"') == bob


@pytest.mark.parametrize("name", ["{name} {0} %s %(x)d", "x" * 10_000, "\u202e\r\nTo: all"])
def test_hostile_names_and_titles_break_no_message_and_no_alert(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, name: str
) -> None:
    complete(engine, add_customer(name=name), title=name)
    ask(engine, add_customer(name=name), 3)
    ask(engine, add_customer(name=name), 3, rating=1, comment=name)
    change(engine, "UPDATE business.completed_jobs SET title = :title", title=name)

    assert send(surroundings)["requested"] == 1
    assert follow_up(surroundings) == followed(reminded=1, escalated=1)

    messages = [message for _, _, message in rows(engine, MESSAGES)]
    messages += [message for _, _, message, _ in rows(engine, ALERTS)]
    assert len(messages) == 3
    assert all(len(message) < 500 and "\n" not in message for message in messages)


def test_a_request_is_called_to_mind_after_three_and_seven_days_and_given_up_after_thirty(
    surroundings: Any, engine: Engine, add_customer: AddCustomer
) -> None:
    number = ask(engine, add_customer(name="Ada", phone="+33612345678"), 0)
    # When the job runs every day, twice a day
    done = {day: [follow_up(surroundings, at=NOW + day * DAY) for _ in range(2)] for day in range(35)}

    assert {day: first for day, (first, _) in done.items() if first["processed"]} == {
        3: followed(reminded=1),
        7: followed(reminded=1),
        30: followed(expired=1),
    }
    assert all(second == followed() for _, second in done.values())
    text = (
        "Hello Ada, how did you like our work on “A new roof”? A number from 1 (bad) to 5 (very good) would"
        " help us. Thank you!"
    )
    assert rows(engine, MESSAGES) == [(f"review:{number}:reminder:{n}", "+33612345678", text) for n in (1, 2)]
    assert rows(engine, REQUESTS) == [(number, "expired", 2)]


def test_a_request_that_could_not_be_delivered_is_not_called_to_mind(
    surroundings: Any, engine: Engine, add_customer: AddCustomer
) -> None:
    complete(engine, add_customer())
    send(surroundings)
    change(engine, 'UPDATE business."OutboundJob" SET status = \'failed\', "completedAt" = now()')

    assert run(surroundings, "review-follow-ups", NOW + 4 * DAY) == followed()
    assert run(surroundings, "review-follow-ups", NOW + 31 * DAY) == followed(expired=1)


def test_a_reminder_that_was_overtaken_is_left_out_and_two_are_not_sent_in_a_row(
    surroundings: Any, engine: Engine, add_customer: AddCustomer
) -> None:
    ask(engine, add_customer(), 8)
    ask(engine, add_customer(), 7, reminders=1, last_reminder_at=NOW - DAY)

    assert follow_up(surroundings) == followed(reminded=1)
    assert follow_up(surroundings, at=NOW + DAY) == followed(reminded=1)
    assert [reminders for *_, reminders in rows(engine, REQUESTS)] == [2, 2]


def test_who_cannot_be_reached_any_more_gets_no_reminder_and_the_request_still_expires(
    surroundings: Any, engine: Engine, add_customer: AddCustomer
) -> None:
    ask(engine, add_customer(whatsapp_consent_at=None), 3)
    ask(engine, add_customer(phone=None), 30)

    assert follow_up(surroundings) == followed(expired=1)
    assert rows(engine, MESSAGES) == []


def test_a_bad_rating_is_given_to_a_person_once(
    surroundings: Any, engine: Engine, add_customer: AddCustomer
) -> None:
    customer = add_customer(name="Ada", phone=None)
    bad = ask(engine, customer, 1, rating=2, comment="It\nleaks.")
    worse = ask(engine, add_customer(name="Bob"), 40, rating=1)
    for rating in (3, 4, 5):
        ask(engine, add_customer(), 40, rating=rating)

    assert follow_up(surroundings) == followed(escalated=2)
    assert follow_up(surroundings) == followed()

    assert rows(engine, ALERTS) == [
        (
            "warning",
            f"review:{bad}",
            "Ada has rated “A new roof” 2 of 5: It leaks.",
            {"customer_id": customer, "rating": 2},
        ),
        (
            "warning",
            f"review:{worse}",
            "Bob has rated “A new roof” 1 of 5",
            {"customer_id": customer + 1, "rating": 1},
        ),
    ]
    found = "SELECT id, escalated_at FROM business.review_requests WHERE status = 'escalated' ORDER BY id"
    assert rows(engine, found) == [(bad, NOW), (worse, NOW)]

    # A person closes the alert, and it stays closed
    change(engine, "UPDATE callboard.alerts SET resolved_at = now()")
    follow_up(surroundings)
    assert value(engine, "SELECT count(*) FROM callboard.alerts WHERE resolved_at IS NULL") == 0


def test_a_request_that_fails_holds_up_no_other_and_is_tried_again(
    surroundings: Any, engine: Engine, add_customer: AddCustomer
) -> None:
    bad, *_ = [complete(engine, add_customer()) for _ in range(3)]
    refuse(engine, "business.review_requests", f"NEW.completed_job_id = {bad}")

    assert send(surroundings) == {"processed": 2, "failed": 1, "requested": 2}

    assert len(rows(engine, MESSAGES)) == 2
    assert rows(engine, "SELECT item FROM business.item_failures") == [(f"completed_jobs:{bad}",)]
    change(engine, "DROP TRIGGER on_write ON business.review_requests")
    assert send(surroundings) == {"processed": 1, "failed": 0, "requested": 1}


def test_a_follow_up_that_fails_holds_up_no_other(
    surroundings: Any, engine: Engine, add_customer: AddCustomer
) -> None:
    bad, *_ = [ask(engine, add_customer(), 3) for _ in range(2)]
    ask(engine, add_customer(), 1, rating=1)
    refuse(engine, "business.review_requests", f"NEW.id = {bad}")

    result = follow_up(surroundings)

    assert result == {"processed": 2, "failed": 1, "reminded": 1, "escalated": 1, "expired": 0}
    assert len(rows(engine, MESSAGES)) == 1
    assert len(rows(engine, ALERTS)) == 1


def test_a_run_broken_off_between_two_batches_asks_nobody_twice(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        complete(engine, add_customer())
    link, batches = statements.link_requests, []

    def break_off(connection: Connection, messages: Any) -> None:
        link(connection, messages)
        batches.append(messages)
        if len(batches) == 2:
            raise KeyboardInterrupt

    # When a run ends from outside, its second batch written and not committed
    with monkeypatch.context() as patched:
        patched.setattr(statements, "link_requests", break_off)
        with pytest.raises(KeyboardInterrupt):
            send(surroundings, batch_size=2)
    assert len(rows(engine, MESSAGES)) == len(rows(engine, REQUESTS)) == 2

    # Then the next one asks those who are left
    assert send(surroundings, batch_size=2) == {"processed": 3, "failed": 0, "requested": 3}
    assert len(rows(engine, MESSAGES)) == len(rows(engine, REQUESTS)) == 5
