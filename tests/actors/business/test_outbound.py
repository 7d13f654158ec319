"""The outbound runner, on the real table, with the sandbox for WhatsApp."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from callboard.actors.providers.errors import Denied, Unreachable
from callboard.core.clock import utcnow
from callboard.core.errors import BadSettings
from helpers.outgoing import add_messages, fill, messages, where_it_is
from helpers.promises import Promise, assert_kept
from helpers.sandboxed import Sandboxed, sandboxed

JOB = "run-outbound-jobs"


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandboxed]:
    with sandboxed() as running:
        for name, value in running.environ.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def run(surroundings: Any, sandbox: Sandboxed) -> Any:
    return surroundings.get_actor(JOB)


@pytest.fixture
def impatient(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that is away is given up after a moment."""
    monkeypatch.setattr("callboard.actors.providers.whatsapp.PATIENCE_S", 1.5)


def states(engine: Engine) -> list[str]:
    return [message.status for message in messages(engine)]


def test_the_job_is_declared_as_promised(surroundings: Any) -> None:
    assert_kept(surroundings, JOB, Promise("*/30 * * * * *", 300, 1, "outbound"))


def test_messages_that_are_due_go_out_once_and_are_marked_with_the_providers_id(
    run: Any, engine: Engine, sandbox: Sandboxed
) -> None:
    # Given two that are due, and one of tomorrow
    first, second, _ = add_messages(
        engine,
        {"idempotencyKey": "offer:1"},
        {"idempotencyKey": "offer:2", "payload": {"text": "Good day"}},
        {"idempotencyKey": "offer:3", "runAt": utcnow() + timedelta(days=1)},
    )
    # When the runner runs twice
    result, nothing = run(), run()
    # Expect each delivered once, and the third still waiting
    assert result == {
        "processed": 2, "failed": 0, "requeued": 0, "ids": {"processed": [first, second], "failed": []}
    }  # fmt: skip
    assert nothing["processed"] == 0
    delivered = {each["key"]: each for each in sandbox.deliveries("whatsapp")}
    assert {key: each["text"] for key, each in delivered.items()} == {
        "offer:1": "Hello",
        "offer:2": "Good day",
    }
    done, also, waiting = messages(engine)
    assert (done.status, also.status, waiting.status) == ("done", "done", "queued")
    assert done.providerMessageId == delivered["offer:1"]["id"]
    assert done.startedAt <= done.completedAt
    assert (done.attempts, waiting.attempts) == (1, 0)


def test_a_reply_answers_what_came_in_in_the_customers_language(
    run: Any, engine: Engine, sandbox: Sandboxed, add_customer: Any
) -> None:
    customer = add_customer(name="Zoé Martin", language="fr")
    add_messages(
        engine,
        {"kind": "reply", "customerId": customer, "payload": {"inbound": {"text": "Bonjour, un devis ?"}}},
    )

    run()

    (sent,) = sandbox.deliveries("whatsapp")
    assert sent["text"].startswith("Merci de votre demande, Zoé.")


def test_a_reply_that_cannot_be_made_now_is_tried_again_later(
    run: Any, engine: Engine, sandbox: Sandboxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_order(inbound: object) -> str:
        raise TimeoutError("the orchestrator took too long")

    monkeypatch.setattr("callboard.actors.composing.answer", out_of_order)
    add_messages(engine, {"kind": "reply", "payload": {"inbound": "Hi"}}, {})

    result = run()

    assert (result["processed"], result["requeued"]) == (1, 1)
    (reply, _) = messages(engine)
    assert (reply.status, reply.attempts, reply.error) == ("queued", 1, "the orchestrator took too long")
    assert reply.runAt > utcnow()


def test_a_provider_that_limits_the_rate_is_kept_up_with_and_no_message_loses_by_it(
    run: Any, engine: Engine, sandbox: Sandboxed
) -> None:
    fill(engine, 60)
    sandbox.turn("whatsapp", rate_limit=30)

    assert run()["processed"] == 60

    assert sandbox.counts("whatsapp")["status_429"] > 0
    assert {message.attempts for message in messages(engine)} == {1}


def test_what_whatsapp_refuses_fails_at_once_and_the_others_go_out(
    run: Any, engine: Engine, sandbox: Sandboxed
) -> None:
    good, bad, empty = add_messages(engine, {}, {"to": "+33600000000"}, {"payload": {}})

    result = run()

    assert (result["processed"], result["failed"]) == (1, 2)
    assert result["ids"] == {"processed": [good], "failed": [bad, empty]}
    _, refused, blank = messages(engine)
    assert "131026" in refused.error
    assert blank.error == 'The payload has no text: it must be a JSON object like {"text": "Hello"}.'
    assert (refused.status, refused.attempts) == ("failed", 1)
    assert refused.completedAt is not None


def test_a_customer_who_has_withdrawn_consent_gets_replies_only(
    run: Any, engine: Engine, sandbox: Sandboxed, add_customer: Any
) -> None:
    customer = add_customer(whatsapp_consent_at=None)
    add_messages(
        engine,
        {"customerId": customer},
        {"customerId": customer, "kind": "reply", "payload": {"inbound": {"text": "Thanks"}}},
    )

    run()

    assert states(engine) == ["failed", "done"]
    assert len(sandbox.deliveries("whatsapp")) == 1


def test_a_customer_who_says_stop_is_answered_and_hears_no_more(
    run: Any, engine: Engine, sandbox: Sandboxed, add_customer: Any
) -> None:
    noon = where_it_is(12)
    customer = add_customer(time_zone=noon)
    again = add_customer(time_zone=noon, whatsapp_consent_at=utcnow() + timedelta(hours=1))
    for each in (customer, again):
        add_messages(engine, {"kind": "reply", "customerId": each, "payload": {"inbound": {"text": "STOP"}}})
    run()

    add_messages(engine, {"customerId": customer}, {"customerId": again})
    run()

    # Who has consented anew since then is written to.
    assert states(engine) == ["done", "done", "failed", "done"]
    assert messages(engine)[2].error == "The customer does not consent to WhatsApp messages (any more)."
    with engine.connect() as connection:
        assert (
            connection.execute(
                text("SELECT marketing_consent_at FROM business.customers ORDER BY id LIMIT 1")
            ).scalar_one()
            is None
        )


def test_a_failure_among_successes_is_tried_later_and_later_until_the_attempts_are_used_up(
    run: Any, engine: Engine, sandbox: Sandboxed, impatient: None
) -> None:
    # Given one message in three that fails, each with two attempts
    fill(engine, 60)
    with engine.begin() as connection:
        connection.execute(text('UPDATE "OutboundJob" SET "maxAttempts" = 2'))
    sandbox.turn("whatsapp", failure_rate=0.6, seed=7)
    # When the runner runs
    result = run()
    # Expect the failed ones queued for later, with the reason
    again = [message for message in messages(engine) if message.status == "queued"]
    assert result["requeued"] == len(again) > 0
    assert result["processed"] + len(again) == 60
    for message in again:
        assert message.attempts == 1
        assert 20 < (message.runAt - utcnow()).total_seconds() <= 30
        assert message.error.startswith("WhatsApp could not be asked")
    # When they come up again and fail again
    with engine.begin() as connection:
        connection.execute(text("""UPDATE "OutboundJob" SET "runAt" = now() WHERE status = 'queued'"""))
    second = run()
    # Expect these failed for good, and none delivered twice
    failed = [message for message in messages(engine) if message.status == "failed"]
    assert second["failed"] == len(failed)
    assert all(message.error.startswith("Given up after 2 attempts:") for message in failed)
    keys = [each["key"] for each in sandbox.deliveries("whatsapp")]
    assert len(keys) == len(set(keys)) == sandbox.counts("whatsapp")["deliveries"]


def test_while_the_provider_is_away_the_run_fails_and_no_message_loses_an_attempt(
    run: Any, engine: Engine, sandbox: Sandboxed, impatient: None
) -> None:
    fill(engine, 200)
    sandbox.turn("whatsapp", outage=True)

    with pytest.raises(Unreachable, match="WhatsApp could not be asked"):
        run()

    assert {(message.status, message.attempts) for message in messages(engine)} == {("queued", 0)}
    # A few calls have shown it; not every message has been tried.
    assert sandbox.counts("whatsapp")["requests"] < 200
    sandbox.reset()
    assert run()["processed"] == 200


def test_with_nothing_to_send_no_provider_is_needed(
    run: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CALLBOARD_SANDBOX_URL")

    assert run()["processed"] == 0
    add_messages(engine, {})
    with pytest.raises(BadSettings, match="WHATSAPP_TOKEN"):
        run()
    assert states(engine) == ["queued"]


def test_a_message_that_is_old_loses_its_attempts_even_to_an_outage(
    run: Any, engine: Engine, sandbox: Sandboxed, impatient: None
) -> None:
    add_messages(engine, {"createdAt": utcnow() - timedelta(days=2)}, {})
    sandbox.turn("whatsapp", failure_rate=1)

    with pytest.raises(Unreachable):
        run()

    assert [message.attempts for message in messages(engine)] == [1, 0]


def test_a_wrong_token_fails_the_run_and_no_message(
    run: Any, engine: Engine, sandbox: Sandboxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(engine, 3)
    monkeypatch.setenv("CALLBOARD_SANDBOX_TOKEN", "expired")

    with pytest.raises(Denied, match="HTTP 401"):
        run()

    assert {(message.status, message.attempts) for message in messages(engine)} == {("queued", 0)}


def test_an_answer_that_was_lost_is_asked_for_again_and_nothing_is_delivered_twice(
    run: Any, engine: Engine, sandbox: Sandboxed
) -> None:
    fill(engine, 50)
    sandbox.turn("whatsapp", lost_answer_rate=0.3, seed=3)

    assert run()["processed"] == 50

    counts = sandbox.counts("whatsapp")
    assert counts["lost_answers"] > 0
    assert counts["repeats"] >= counts["lost_answers"]
    assert counts["deliveries"] == 50


def test_what_a_dead_run_has_left_is_sent_again_with_the_same_key(
    run: Any, engine: Engine, sandbox: Sandboxed
) -> None:
    # Given a run that died: one message went out, and is not marked; another one's worker is at it now
    (left, busy) = add_messages(engine, {"idempotencyKey": "left"}, {"idempotencyKey": "busy"})
    run(max=1)
    with engine.begin() as connection:
        connection.execute(
            text("""
UPDATE "OutboundJob" SET status = 'running', attempts = 1, "completedAt" = NULL, "providerMessageId" = NULL
     , "startedAt" = now() - CASE WHEN id = :left THEN interval '3 minutes' ELSE interval '5 seconds' END
"""),
            {"left": left},
        )
    # When the runner runs, with no mutex that would say that nobody else works
    result = run()
    # Expect the first sent with its key, which the provider knows, and the other one left alone
    assert result["ids"]["processed"] == [left]
    assert states(engine) == ["done", "running"]
    assert sandbox.counts("whatsapp") | {"deliveries": 1, "repeats": 1} == sandbox.counts("whatsapp")
    assert busy not in result["ids"]["processed"]


def test_max_and_batches_limit_what_a_run_takes(run: Any, engine: Engine, sandbox: Sandboxed) -> None:
    fill(engine, 12)

    assert run(max=5, batch_size=2)["processed"] == 5
    assert states(engine).count("queued") == 7
    assert run(max=0)["processed"] == 0


@pytest.mark.parametrize("arguments", [{"batch_size": 0}, {"max": -1}])
def test_nonsense_is_refused(run: Any, arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be at least"):
        run(**arguments)


def test_a_dry_run_sends_and_changes_nothing(run: Any, engine: Engine, sandbox: Sandboxed) -> None:
    good, bad = add_messages(engine, {}, {"payload": {"text": ""}})
    before = messages(engine)

    result = run(dry_run=True, batch_size=1)

    assert result == {
        "processed": 1,
        "failed": 1,
        "requeued": 0,
        "ids": {"processed": [good], "failed": [bad]},
        "dry_run": True,
    }
    assert messages(engine) == before
    assert sandbox.deliveries("whatsapp") == []


def test_a_majority_of_failures_fails_the_run(run: Any, engine: Engine, sandbox: Sandboxed) -> None:
    add_messages(engine, *[{"payload": {}}] * 12, *[{}] * 3)

    with pytest.raises(Exception, match="Most failed for good: 12 of 15"):
        run()

    assert states(engine).count("done") == 3


def test_the_log_tells_of_each_message_as_far_as_there_is_room(
    run: Any, engine: Engine, sandbox: Sandboxed, caplog: pytest.LogCaptureFixture
) -> None:
    fill(engine, 150)
    first = messages(engine)[0]

    with caplog.at_level(logging.INFO):
        run(batch_size=90)

    lines = [line for line in caplog.messages if line.startswith("[JOB-RUNNER]")]
    assert lines[0] == "[JOB-RUNNER] Processing 90 job(s)"
    assert f"[JOB-RUNNER] Processing job {first.id} (requestId: {first.requestId})" in lines
    assert f"[JOB-RUNNER] Job {first.id} completed successfully" in lines
    assert sum(line.endswith("completed successfully") for line in lines) == 100
