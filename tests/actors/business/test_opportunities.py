"""Offers for missed opportunities, and reminders of them, on the real tables."""

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from dramatiq import Message
from sqlalchemy import Engine

from callboard.core.settings import Settings
from callboard.storage.tables.business import offers, opportunities
from helpers.customers import AddCustomer
from helpers.promises import Promise, assert_kept
from helpers.recorders import FINISHED, recording, wait_for_rows
from helpers.rows import add_row, change, on_write, refuse, rows, value
from helpers.waiting import wait_for
from helpers.worker_fleet import worker_fleet

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PROMISED = {
    "process-opportunity-offers": Promise("0 8 * * *", 600, 3, "opportunities"),
    "opportunity-reminders": Promise("0 8 * * *", 300, 2, "opportunities"),
}
MESSAGES = 'SELECT "idempotencyKey", "to", payload->>\'text\' FROM business."OutboundJob" ORDER BY id'


@pytest.fixture
def miss(engine: Engine) -> Any:
    """Adds an opportunity that was missed so many days ago."""

    def add(customer_id: int, days_ago: float = 3, **columns: Any) -> int:
        missed = NOW - days_ago * DAY
        values = {"source": "missed_call", "title": "A new roof", "value_cents": 5_000}
        values |= {"created_at": missed, "missed_at": missed, "customer_id": customer_id}
        return add_row(engine, opportunities, **(values | columns))

    return add


@pytest.fixture
def offer(engine: Engine, miss: Any) -> Any:
    """Adds an opportunity that was offered something so many days ago. Returns its id."""

    def add(customer_id: int, days_ago: float, **columns: Any) -> int:
        opportunity = miss(customer_id, days_ago + 3, status="offered")
        made = NOW - days_ago * DAY
        values = {"discount_percent": 10, "made_at": made, "expires_at": made + 14 * DAY}
        add_row(engine, offers, **({"opportunity_id": opportunity} | values | columns))
        return opportunity

    return add


def run(surroundings: Any, name: str, at: datetime = NOW, **arguments: Any) -> dict[str, Any]:
    with time_machine.travel(at, tick=False):
        result: dict[str, Any] = surroundings.get_actor(name)(**arguments)
    return result


def make_offers(surroundings: Any, **arguments: Any) -> dict[str, Any]:
    return run(surroundings, "process-opportunity-offers", **arguments)


def remind(surroundings: Any, **arguments: Any) -> dict[str, Any]:
    return run(surroundings, "opportunity-reminders", **arguments)


@pytest.mark.parametrize("name", PROMISED)
def test_the_jobs_are_declared_as_promised(surroundings: Any, name: str) -> None:
    assert_kept(surroundings, name, PROMISED[name])


def test_a_missed_opportunity_gets_one_offer_and_the_customer_one_message(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, miss: Any
) -> None:
    opportunity = miss(add_customer(name="Ada Lovelace", phone="+33612345678"))

    first, second = make_offers(surroundings), make_offers(surroundings)

    assert first == {"processed": 1, "failed": 0, "offered": 1}
    assert second == {"processed": 0, "failed": 0}
    assert value(engine, "SELECT status FROM business.opportunities") == "offered"
    ((number, of, percent, made, expires, outbound),) = rows(
        engine,
        "SELECT id, opportunity_id, discount_percent, made_at, expires_at, outbound_id FROM business.offers",
    )
    assert (of, percent, made, expires) == (opportunity, 5, NOW, NOW + 14 * DAY)
    message = (
        "Hello Ada Lovelace, we are sorry that we missed you. For “A new roof” we offer you 5% off until"
        " 24 June 2026. Just answer this message."
    )
    assert rows(engine, MESSAGES) == [(f"offer:{number}", "+33612345678", message)]
    assert outbound == value(engine, 'SELECT id FROM business."OutboundJob"')
    ((kind, marketing, template),) = rows(
        engine, """SELECT kind, marketing, payload->'template' FROM business."OutboundJob" """
    )
    assert (kind, marketing, template["name"]) == ("template", True, "opportunity_offer")
    assert template["parameters"] == ["Ada Lovelace", "A new roof", "5%", "24 June 2026"]


@pytest.mark.parametrize(
    ("cents", "percent"), [(0, 5), (9_999, 5), (10_000, 10), (99_999, 10), (100_000, 15), (10**15, 15)]
)
def test_the_discount_goes_by_the_value(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, miss: Any, cents: int, percent: int
) -> None:
    miss(add_customer(), value_cents=cents)

    make_offers(surroundings)

    assert value(engine, "SELECT discount_percent FROM business.offers") == percent


@pytest.mark.parametrize(
    ("customer", "opportunity"),
    [
        ({"phone": None}, {}),
        ({"whatsapp_consent_at": None}, {}),
        ({"marketing_consent_at": None}, {}),
        ({"marketing_consent_at": NOW + DAY}, {}),
        ({}, {"missed_at": None}),
        ({}, {"missed_at": NOW - 2 * DAY + timedelta(seconds=1)}),
        ({}, {"missed_at": NOW - 30 * DAY - timedelta(seconds=1)}),
        ({}, {"status": "won", "closed_at": NOW}),
    ],
)
def test_no_offer_is_made_without_consent_nor_too_early_too_late_or_for_what_is_closed(
    surroundings: Any,
    engine: Engine,
    add_customer: AddCustomer,
    miss: Any,
    customer: dict[str, Any],
    opportunity: dict[str, Any],
) -> None:
    miss(add_customer(**customer), **opportunity)

    assert make_offers(surroundings) == {"processed": 0, "failed": 0}
    assert rows(engine, MESSAGES) == []


@pytest.mark.parametrize("batch_size", [1, 500])
def test_nobody_has_two_open_offers_at_a_time(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, miss: Any, batch_size: int
) -> None:
    customer = add_customer()
    first, second = miss(customer), miss(customer)

    make_offers(surroundings, batch_size=batch_size)

    assert rows(engine, "SELECT opportunity_id FROM business.offers") == [(first,)]
    # When the first is won, the second has its turn
    won = "UPDATE business.opportunities SET status = 'won', closed_at = :now WHERE id = :id"
    change(engine, won, now=NOW, id=first)
    make_offers(surroundings)
    assert rows(engine, "SELECT opportunity_id FROM business.offers ORDER BY id") == [(first,), (second,)]


def test_a_run_for_one_customer_and_a_dry_run_leave_the_others_alone(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, miss: Any
) -> None:
    one, other = add_customer(), add_customer()
    miss(one)
    miss(other)

    dry = make_offers(surroundings, dry_run=True)
    assert dry == {"processed": 2, "failed": 0, "offered": 2, "dry_run": True}
    assert value(engine, "SELECT count(*) FROM business.offers") == 0
    assert rows(engine, MESSAGES) == []

    assert make_offers(surroundings, customer_id=other)["offered"] == 1
    assert value(engine, 'SELECT "customerId" FROM business."OutboundJob"') == other


def test_an_offer_that_cannot_be_made_holds_up_no_other(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, miss: Any
) -> None:
    bad, *good = [miss(add_customer()) for _ in range(3)]
    refuse(engine, "business.offers", f"NEW.opportunity_id = {bad}")

    assert make_offers(surroundings) == {"processed": 2, "failed": 1, "offered": 2}

    assert rows(engine, "SELECT opportunity_id FROM business.offers ORDER BY 1") == [(each,) for each in good]
    assert len(rows(engine, MESSAGES)) == 2
    ((item, error),) = rows(engine, "SELECT item, error FROM business.item_failures")
    assert item == f"opportunities:{bad}"
    assert "refused" in error


@pytest.mark.parametrize("name", ["{name} {0} %s %(x)d", "x" * 10_000, "\u202e\r\nTo: all", "Ünïcødé 🎭"])
def test_hostile_names_titles_and_time_zones_break_no_message(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, miss: Any, name: str
) -> None:
    miss(add_customer(name=name, time_zone=name), title=name)

    assert make_offers(surroundings)["offered"] == 1

    ((_, _, message),) = rows(engine, MESSAGES)
    assert message.startswith(f"Hello {name[:10].strip() if name.isprintable() else 'To: all'}")
    assert message.endswith("5% off until 24 June 2026. Just answer this message.")
    assert len(message) < 400
    assert "\n" not in message


def test_an_offer_is_called_to_mind_after_three_and_after_seven_days(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, offer: Any
) -> None:
    offer(add_customer(name="Ada", phone="+33612345678"), 0)
    number = value(engine, "SELECT id FROM business.offers")
    # When the job runs every day, twice a day
    done = {
        day: [remind(surroundings, at=NOW + day * DAY).get("reminded", 0) for _ in range(2)]
        for day in range(14)
    }

    assert [day for day, counts in done.items() if counts == [1, 0]] == [3, 7]
    assert sum(map(sum, done.values())) == 2
    text = (
        "Hello Ada, our offer of 10% off for “A new roof” is yours until 24 June 2026."
        " Just answer this message."
    )
    assert rows(engine, MESSAGES) == [
        (f"offer:{number}:reminder:1", "+33612345678", text),
        (f"offer:{number}:reminder:2", "+33612345678", text),
    ]


def test_an_offer_that_could_not_be_delivered_is_not_called_to_mind(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, miss: Any
) -> None:
    miss(add_customer())
    make_offers(surroundings)
    change(engine, 'UPDATE business."OutboundJob" SET status = \'failed\', "completedAt" = now()')

    assert run(surroundings, "opportunity-reminders", NOW + 4 * DAY) == {"processed": 0, "failed": 0}
    assert run(surroundings, "opportunity-reminders", NOW + 15 * DAY)["expired"] == 1


def test_a_reminder_that_was_overtaken_is_left_out_and_two_are_not_sent_in_a_row(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, offer: Any
) -> None:
    offer(add_customer(), 8)
    late = offer(add_customer(), 7, reminders=1, last_reminder_at=NOW - DAY)

    assert remind(surroundings) == {"processed": 1, "failed": 0, "reminded": 1, "expired": 0}
    assert remind(surroundings, at=NOW + DAY)["reminded"] == 1

    assert rows(engine, "SELECT reminders FROM business.offers") == [(2,), (2,)]
    key = value(engine, "SELECT id FROM business.offers WHERE opportunity_id = :id", id=late)
    assert rows(engine, MESSAGES)[1][0] == f"offer:{key}:reminder:2"


def test_what_was_accepted_or_lost_its_consent_is_called_to_nobodys_mind(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, offer: Any
) -> None:
    offer(add_customer(), 4, accepted_at=NOW - DAY)
    offer(add_customer(marketing_consent_at=None), 4)

    assert remind(surroundings) == {"processed": 0, "failed": 0}
    assert rows(engine, MESSAGES) == []


def test_an_expired_offer_closes_its_opportunity_and_an_accepted_one_does_not(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, offer: Any
) -> None:
    expired = offer(add_customer(phone=None), 14)
    accepted = offer(add_customer(), 15, accepted_at=NOW - DAY)

    assert remind(surroundings, dry_run=True)["expired"] == 1
    assert remind(surroundings) == {"processed": 1, "failed": 0, "reminded": 0, "expired": 1}
    assert remind(surroundings) == {"processed": 0, "failed": 0}

    found = rows(engine, "SELECT id, status, closed_at FROM business.opportunities ORDER BY id")
    assert found == [(expired, "expired", NOW), (accepted, "offered", None)]
    assert rows(engine, MESSAGES) == []


def test_a_reminder_that_cannot_be_queued_is_recorded_and_tried_again(
    surroundings: Any, engine: Engine, add_customer: AddCustomer, offer: Any
) -> None:
    bad = add_customer()
    for customer in (bad, add_customer()):
        offer(customer, 3)
    refuse(engine, 'business."OutboundJob"', f'NEW."customerId" = {bad}')

    assert remind(surroundings) == {"processed": 1, "failed": 1, "reminded": 1, "expired": 0}

    assert rows(engine, "SELECT reminders FROM business.offers ORDER BY id") == [(0,), (1,)]
    change(engine, 'DROP TRIGGER on_write ON business."OutboundJob"')
    assert remind(surroundings)["reminded"] == 1
    assert value(engine, "SELECT resolved_at IS NOT NULL FROM business.item_failures")


def test_a_worker_killed_in_the_middle_leaves_no_offer_without_message_and_none_with_two(
    broker: Any,
    settings: Settings,
    engine: Engine,
    add_customer: AddCustomer,
    miss: Any,
    tmp_path: Path,
) -> None:
    # Given opportunities whose offers take their time, in small batches
    count = 60
    missed = datetime.now(UTC) - 3 * DAY
    for _ in range(count):
        miss(add_customer(), missed_at=missed)
    on_write(engine, "business.offers", "PERFORM pg_sleep(0.02);")
    quick = {"heartbeat_timeout": 2_000, "round": 0.2, "processes": 2, "threads": 1}
    made = "SELECT count(*) FROM business.offers"
    job = Message("default", "process-opportunity-offers", (), {"batch_size": 5}, {})

    with (
        recording(settings),
        worker_fleet(settings, tmp_path, actors="callboard.actors.business", **quick) as workers,
    ):
        workers.wait_for_workers(2)
        broker.enqueue(job)
        # When the process that makes them is killed
        wait_for(lambda: value(engine, made) >= 10)
        (running,) = wait_for_rows(settings, 1, "SELECT * FROM callboard.runs WHERE state = 'processing'")
        os.kill(workers.workers()[running["worker"]], signal.SIGKILL)
        at_the_kill = value(engine, made)
        wait_for_rows(settings, 1, FINISHED, timeout=60)

    # Then another has made the rest, and every offer has its one message
    assert at_the_kill < count
    assert value(engine, made) == count
    assert rows(
        engine,
        """
        SELECT count(*), count(DISTINCT f.outbound_id), count(DISTINCT o."customerId")
          FROM business.offers f JOIN business."OutboundJob" o ON o."idempotencyKey" = 'offer:' || f.id
        """,
    ) == [(count, count, count)]
    assert value(engine, 'SELECT count(*) FROM business."OutboundJob"') == count
