"""No message goes out twice: interrupts, lost answers, kills, and a provider that knows no keys."""

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from dramatiq.middleware import Shutdown
from sqlalchemy import Connection, Engine, text

from callboard.actors.providers.errors import Unreachable
from callboard.actors.sending import PROBES
from callboard.storage.business import outbound
from helpers.interrupting import interrupted
from helpers.outgoing import add_messages, fill, messages
from helpers.sandboxed import Sandboxed, sandboxed

CLAIM = """
UPDATE "OutboundJob"
   SET status = 'running', attempts = 1, error = NULL, "startedAt" = now() - make_interval(secs => :age_s)
 WHERE id = ANY(:ids)
"""
ALERTS = "SELECT * FROM callboard.alerts WHERE kind = 'uncertain_messages'"


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
def meta(sandbox: Sandboxed, monkeypatch: pytest.MonkeyPatch) -> Sandboxed:
    """The sandbox in the place of the real WhatsApp, which knows no idempotency keys."""
    monkeypatch.setenv("WHATSAPP_URL", f"{sandbox.url}/whatsapp/v23.0")
    monkeypatch.setenv("WHATSAPP_TOKEN", sandbox.token)
    monkeypatch.setenv("WHATSAPP_PHONE_NUMBER_ID", "100000000000001")
    sandbox.turn("whatsapp", hears_keys=False)
    return sandbox


def states(engine: Engine) -> Counter[str]:
    return Counter(message.status for message in messages(engine))


def repeats(sandbox: Sandboxed) -> int:
    keys = Counter(each["key"] for each in sandbox.deliveries("whatsapp"))
    return sum(keys.values()) - len(keys)


def test_a_run_that_is_stopped_while_it_marks_has_marked_what_it_has_sent(
    run: Any, engine: Engine, sandbox: Sandboxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a database that takes a moment to mark
    mark, marking = outbound.mark_done, threading.Event()

    def slow(connection: Connection, said: Any) -> None:
        mark(connection, said)
        marking.set()
        connection.execute(text("SELECT pg_sleep(0.5)"))

    monkeypatch.setattr(outbound, "mark_done", slow)
    fill(engine, 50)
    # When the run is stopped in that moment
    stopped = interrupted(run, marking.is_set)
    # Expect each message that has gone out marked, and the others waiting
    assert isinstance(stopped, Shutdown)
    delivered = sandbox.counts("whatsapp")["deliveries"]
    assert states(engine) == Counter({"done": delivered, "queued": 50 - delivered})


def test_a_run_that_is_stopped_while_it_sends_sends_no_more_and_has_marked_what_is_out(
    run: Any, engine: Engine, sandbox: Sandboxed
) -> None:
    fill(engine, 200)
    sandbox.turn("whatsapp", latency_ms=200)

    stopped = interrupted(run, lambda: sandbox.counts("whatsapp").get("deliveries", 0) > 0)

    assert isinstance(stopped, Shutdown)
    delivered = sandbox.counts("whatsapp")["deliveries"]
    assert 0 < delivered < 200
    assert states(engine) == Counter({"done": delivered, "queued": 200 - delivered})
    assert {message.attempts for message in messages(engine) if message.status == "queued"} == {0}


def test_a_database_that_is_away_for_a_moment_costs_no_message_twice(
    run: Any, engine: Engine, sandbox: Sandboxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark, trials = outbound.mark_done, []

    def fails_at_first(connection: Connection, said: Any) -> None:
        trials.append(said)
        if len(trials) == 1:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        mark(connection, said)

    monkeypatch.setattr(outbound, "mark_done", fails_at_first)
    fill(engine, 20)

    assert run()["processed"] == 20

    assert states(engine) == Counter({"done": 20})
    assert trials[0] == trials[1]


def test_a_message_that_meta_may_have_taken_is_uncertain_and_not_sent_again(
    run: Any, engine: Engine, meta: Sandboxed
) -> None:
    # Given a provider that loses some of its answers, after it has delivered
    fill(engine, 100)
    meta.turn("whatsapp", lost_answer_rate=0.1, seed=5)
    # When two runs have been through
    first, second = run(), run()
    # Expect each delivered once, and those of which nobody knows set apart, with what is to be known
    lost = meta.counts("whatsapp")["lost_answers"]
    assert lost > 0
    assert (first["processed"], first["uncertain"]) == (100 - lost, lost)
    assert second["processed"] == 0
    assert states(engine) == Counter({"done": 100 - lost, "uncertain": lost})
    assert (meta.counts("whatsapp")["deliveries"], repeats(meta)) == (100, 0)
    uncertain = next(message for message in messages(engine) if message.status == "uncertain")
    assert uncertain.error.startswith("WhatsApp may have it or not: WhatsApp could not be asked for POST")


def test_an_alert_says_that_messages_are_uncertain_until_somebody_has_seen_to_them(
    run: Any, engine: Engine, meta: Sandboxed
) -> None:
    fill(engine, 3)
    with engine.begin() as connection:
        connection.execute(text(CLAIM), {"ids": [1, 2], "age_s": 600})
    run()
    run()
    with engine.begin() as connection:
        (alert,) = connection.execute(text(ALERTS)).all()
        connection.execute(text("""UPDATE "OutboundJob" SET status = 'done' WHERE id = 1"""))
    assert (alert.subject, alert.severity, alert.resolved_at) == ("WhatsApp", "warning", None)
    assert alert.message.startswith("2 messages may have gone out or not, and no run sends them again")

    run()
    with engine.begin() as connection:
        assert connection.execute(text(ALERTS)).one().resolved_at is None
        connection.execute(text("""UPDATE "OutboundJob" SET status = 'queued' WHERE id = 2"""))
    run()
    with engine.begin() as connection:
        assert connection.execute(text(ALERTS)).one().resolved_at is not None


def test_what_a_killed_run_had_claimed_is_uncertain_where_nobody_would_notice_that_it_is_sent_twice(
    run: Any, engine: Engine, meta: Sandboxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given messages that a run had claimed which is no more, and one of a run that is at it
    fill(engine, 4)
    with engine.begin() as connection:
        connection.execute(text(CLAIM), {"ids": [1, 2], "age_s": 600})
        connection.execute(text(CLAIM), {"ids": [3], "age_s": 10})
    # Expect another run to tell of them, and to send none of them
    done = run()
    assert (done["processed"], done["uncertain"]) == (1, 2)
    assert [message.status for message in messages(engine)] == ["uncertain", "uncertain", "running", "done"]
    assert messages(engine)[0].error.startswith("WhatsApp may have it or not: its run was killed")
    assert meta.counts("whatsapp")["deliveries"] == 1
    # When what is sent twice is delivered once
    monkeypatch.setenv("WHATSAPP_REPEAT_UNCERTAIN", "true")
    with engine.begin() as connection:
        connection.execute(text(CLAIM), {"ids": [1, 2], "age_s": 600})
    # Then it is sent again
    assert run()["processed"] == 2
    assert [message.status for message in messages(engine)] == ["done", "done", "running", "done"]


def test_whoever_says_so_has_uncertain_messages_sent_again(
    run: Any, engine: Engine, meta: Sandboxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHATSAPP_REPEAT_UNCERTAIN", "true")
    fill(engine, 50)
    meta.turn("whatsapp", lost_answer_rate=0.1, seed=5)

    assert run()["processed"] == 50

    assert repeats(meta) == meta.counts("whatsapp")["lost_answers"] > 0


def test_an_outage_of_meta_leaves_few_messages_uncertain_and_the_others_waiting(
    run: Any, engine: Engine, meta: Sandboxed
) -> None:
    fill(engine, 200)
    meta.turn("whatsapp", failure_rate=1, failure_status=502)

    with pytest.raises(Unreachable):
        run()

    assert states(engine) == Counter({"queued": 200 - PROBES, "uncertain": PROBES})
    assert {message.attempts for message in messages(engine) if message.status == "queued"} == {0}


def test_what_meta_has_surely_not_taken_is_sent_again_later(
    run: Any, engine: Engine, meta: Sandboxed
) -> None:
    fill(engine, 30)
    meta.turn("whatsapp", outage=True)
    with pytest.raises(Unreachable):
        run()
    meta.turn("whatsapp", outage=False)

    assert run()["processed"] == 30
    assert repeats(meta) == 0


def test_a_provider_that_refuses_one_recipient_for_now_is_not_taken_for_away(
    run: Any, engine: Engine, sandbox: Sandboxed
) -> None:
    add_messages(engine, *[{"to": "+33699990056"}] * 40)
    fill(engine, 100)

    result = run()

    assert (result["processed"], result["requeued"]) == (100, 40)
    waiting = [message for message in messages(engine) if message.status == "queued"]
    assert {message.attempts for message in waiting} == {1}
    assert "131056" in waiting[0].error
