"""Outbound messages reach those who want them, at a decent hour, and not while the provider rests."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from callboard.actors.providers.errors import Overloaded, Unreachable
from callboard.core.clock import utcnow
from callboard.core.courtesy import courteous
from callboard.storage.business.messages import Message, Template, queue_messages
from helpers.answering import Answer, answering
from helpers.outgoing import add_messages, fill, messages, where_it_is
from helpers.sandboxed import Sandboxed, sandboxed

STOP = {"kind": "reply", "payload": {"inbound": {"text": "STOP"}}}


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandboxed]:
    with sandboxed() as running:
        for name, value in running.environ.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def run(surroundings: Any, sandbox: Sandboxed) -> Any:
    return surroundings.get_actor("run-outbound-jobs")


@pytest.fixture
def at_noon(add_customer: Any) -> Any:
    """Adds a customer where it is about noon."""
    return lambda **columns: add_customer(**{"time_zone": where_it_is(12), **columns})


def states(engine: Engine) -> list[str]:
    return [message.status for message in messages(engine)]


def test_promotions_need_the_consent_to_promotions_at_the_time_of_sending(
    run: Any, engine: Engine, sandbox: Sandboxed, at_noon: Any
) -> None:
    # Given an offer and a request that were queued before the customer withdrew one consent
    customer = at_noon(marketing_consent_at=None)
    add_messages(engine, {"customerId": customer, "marketing": True}, {"customerId": customer})

    run()

    assert states(engine) == ["failed", "done"]
    assert messages(engine)[0].error == "The customer does not consent to promotions (any more)."


def test_what_jobs_queue_reaches_also_who_has_not_written_for_long(
    run: Any, engine: Engine, sandbox: Sandboxed, at_noon: Any
) -> None:
    # Given a text and a template, to customers who have not written within a day
    sandbox.turn("whatsapp", holds_window=True)
    customer = at_noon()
    template = Template("review_request", ("Ada\nLovelace", ""))
    with engine.begin() as connection:
        queued = [
            Message("review:1", customer, "+33612345678", "How was it?", where_it_is(12), template=template),
            Message("text:1", customer, "+33612345678", "How was it?", where_it_is(12)),
        ]
        queue_messages(connection, queued, utcnow())
    # When they are sent
    result = run()
    # Expect the template delivered, and WhatsApp's own reason at the text
    assert (result["processed"], result["failed"]) == (1, 1)
    (delivered,) = sandbox.deliveries("whatsapp")
    assert delivered["key"] == "review:1"
    assert [each["text"] for each in delivered["template"]["components"][0]["parameters"]] == [
        "Ada Lovelace",
        "-",
    ]
    assert "131047" in next(message.error for message in messages(engine) if message.status == "failed")


@pytest.mark.parametrize(
    "payload",
    [
        {"text": "Hello"},
        {"template": "greeting"},
        {"template": {"name": ""}},
        {"template": {"name": "greeting", "parameters": ["Ada", " "]}},
        {"template": {"name": "greeting", "parameters": [1]}},
        {"template": {"name": "greeting", "language": None}},
    ],
    ids=str,
)
def test_a_template_that_is_none_fails_with_a_sentence(
    run: Any, engine: Engine, sandbox: Sandboxed, payload: dict[str, Any]
) -> None:
    add_messages(engine, {"kind": "template", "payload": payload})

    run()

    assert messages(engine)[0].error.startswith("The payload has no template: it must be a JSON object like")


def test_stop_holds_for_what_is_in_the_same_batch(
    run: Any, engine: Engine, sandbox: Sandboxed, at_noon: Any
) -> None:
    customer, other = at_noon(), at_noon()
    offer, _, others = add_messages(
        engine, {"customerId": customer}, {"customerId": customer, **STOP}, {"customerId": other}
    )

    result = run()

    assert result["ids"] == {"processed": [offer + 1, others], "failed": [offer]}
    assert len(sandbox.deliveries("whatsapp")) == 2


def test_stop_is_heard_before_what_has_waited_for_longer(
    run: Any, engine: Engine, sandbox: Sandboxed, at_noon: Any
) -> None:
    # Given ten offers that have been due for a while, and a customer who says stop now
    customer = at_noon()
    since = utcnow() - timedelta(hours=1)
    add_messages(engine, *[{"customerId": customer, "runAt": since}] * 10)
    add_messages(engine, {"customerId": customer, **STOP})
    # When they are sent by fours
    run(batch_size=4)
    # Expect the answer alone
    assert states(engine) == ["failed"] * 10 + ["done"]
    (said,) = sandbox.deliveries("whatsapp")
    assert said["text"].startswith("Understood")


def test_what_comes_up_at_night_waits_for_the_morning_there_and_loses_no_attempt(
    run: Any, engine: Engine, sandbox: Sandboxed, add_customer: Any
) -> None:
    zone = where_it_is(3)
    asleep = add_customer(time_zone=zone)
    add_messages(
        engine,
        {"customerId": asleep},
        {"customerId": asleep, "kind": "reply", "payload": {"inbound": "Hi"}},
        {"customerId": asleep, "payload": {"text": "The lift is stuck", "urgent": True}},
        {},
    )

    result = run()

    assert (result["processed"], result["requeued"]) == (3, 1)
    waiting, *others = messages(engine)
    assert (waiting.status, waiting.attempts) == ("queued", 0)
    assert waiting.runAt == courteous(utcnow(), zone) > utcnow()
    assert {message.status for message in others} == {"done"}


def test_a_dry_run_tells_what_the_night_holds_back(
    run: Any, engine: Engine, sandbox: Sandboxed, add_customer: Any
) -> None:
    add_messages(engine, {"customerId": add_customer(time_zone=where_it_is(3))}, {})

    assert run(dry_run=True) | {"processed": 1, "requeued": 1} == run(dry_run=True)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(429, b'{"error":{"code":130429,"message":"Busy"}}', {"Retry-After": "3600"}), Overloaded),
        (Answer(503, b"{}", {"Retry-After": "3600"}), Unreachable),
    ],
    ids=["busy", "away"],
)
def test_a_provider_that_asks_to_be_left_alone_is_left_alone(
    surroundings: Any,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer,
    error: type[Exception],
) -> None:
    fill(engine, 40)
    with answering() as server:
        server.script = [answer]
        monkeypatch.setenv("WHATSAPP_URL", server.url)
        monkeypatch.setenv("WHATSAPP_TOKEN", "t")
        monkeypatch.setenv("WHATSAPP_PHONE_NUMBER_ID", "42")
        run = surroundings.get_actor("run-outbound-jobs")
        with pytest.raises(error):
            run()
        asked = len(server.asked)
        # Nothing is due before the hour is over.
        assert run()["processed"] == 0
        assert len(server.asked) == asked

    with engine.connect() as connection:
        wait = connection.scalar(text("""SELECT min("runAt") - now() FROM "OutboundJob" """))
    assert wait > timedelta(minutes=59)


def test_an_error_without_words_is_known_by_its_name(
    run: Any, engine: Engine, sandbox: Sandboxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_order(inbound: object) -> str:
        raise TimeoutError

    monkeypatch.setattr("callboard.actors.composing.answer", out_of_order)
    add_messages(engine, {"kind": "reply", "payload": {"inbound": "Hi"}})

    run()

    assert messages(engine)[0].error == "TimeoutError"
