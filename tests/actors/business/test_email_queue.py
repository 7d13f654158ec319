"""The e-mail queue, on the real table, with the sandbox for a mail server."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from dramatiq.middleware import Shutdown
from sqlalchemy import Engine, text

from callboard.actors.providers.errors import Denied, Unreachable
from callboard.core.clock import utcnow
from callboard.core.errors import BadSettings
from callboard.sandbox import smtp
from helpers.interrupting import interrupted
from helpers.outgoing import add_letters, letters
from helpers.promises import Promise, assert_kept
from helpers.sandboxed import Sandboxed, sandboxed

JOB = "process-email-queue"


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandboxed]:
    with sandboxed() as running:
        for name, value in running.environ.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def run(surroundings: Any, sandbox: Sandboxed) -> Any:
    return surroundings.get_actor(JOB)


def states(engine: Engine) -> list[str]:
    return [letter.status for letter in letters(engine)]


def test_the_job_is_declared_as_promised(surroundings: Any) -> None:
    assert_kept(surroundings, JOB, Promise("* * * * *", 300, 1, "email"))


def test_letters_that_are_due_go_out_once(run: Any, engine: Engine, sandbox: Sandboxed) -> None:
    first, second, _ = add_letters(engine, {}, {"subject": "Été"}, {"run_at": utcnow() + timedelta(days=1)})

    result, nothing = run(), run()

    assert result == {
        "processed": 2, "failed": 0, "requeued": 0, "ids": {"processed": [first, second], "failed": []}
    }  # fmt: skip
    assert nothing["processed"] == 0
    sent, also, waiting = letters(engine)
    assert [sent.status, also.status, waiting.status] == ["sent", "sent", "pending"]
    assert sent.sent_at is not None
    assert {each["id"]: each["subject"] for each in sandbox.deliveries("mail")} == {
        sent.message_id: "News",
        also.message_id: "Été",
    }


def test_a_refused_letter_fails_at_once_and_the_others_go_out(
    run: Any, engine: Engine, sandbox: Sandboxed
) -> None:
    _, bad, _ = add_letters(engine, {}, {"to_address": "nobody@example.org"}, {})

    result = run(batch_size=2)

    assert (result["processed"], result["failed"], result["ids"]["failed"]) == (2, 1, [bad])
    assert states(engine) == ["sent", "failed", "sent"]
    assert "(550)" in letters(engine)[1].error


def test_a_deferred_letter_is_sent_later_with_the_same_message_id_until_its_attempts_are_used_up(
    run: Any, engine: Engine, sandbox: Sandboxed
) -> None:
    add_letters(engine, {"max_attempts": 2})
    sandbox.turn("mail", lost_answer_rate=1)
    # When the server delivers it and says that it did not, twice
    assert run()["requeued"] == 1
    (letter,) = letters(engine)
    assert (letter.status, letter.attempts, letter.claimed_at) == ("pending", 1, None)
    assert 20 < (letter.run_at - utcnow()).total_seconds() <= 30
    with engine.begin() as connection:
        connection.execute(text("UPDATE business.email_queue SET run_at = now()"))
    assert run()["failed"] == 1
    # Expect it given up, and shown once to whom it was for
    (letter,) = letters(engine)
    assert letter.error.startswith("Given up after 2 attempts:")
    assert (sandbox.counts("mail")["deliveries"], sandbox.counts("mail")["repeats"]) == (1, 1)


def test_while_the_server_is_away_the_run_fails_and_no_letter_loses_an_attempt(
    run: Any, engine: Engine, sandbox: Sandboxed
) -> None:
    add_letters(engine, {}, {}, {})
    sandbox.turn("mail", outage=True)

    with pytest.raises(Unreachable):
        run()

    assert {(each.status, each.attempts, each.claimed_at) for each in letters(engine)} == {
        ("pending", 0, None)
    }
    # The one at which it was found out lets the others go first.
    assert [each.run_at > utcnow() for each in letters(engine)] == [True, False, False]
    sandbox.reset()
    assert run()["processed"] == 2


def test_a_wrong_password_fails_the_run_and_no_letter(
    run: Any, engine: Engine, sandbox: Sandboxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_letters(engine, {})
    monkeypatch.setenv("CALLBOARD_SANDBOX_SMTP_URL", sandbox.smtp_url.replace(":sandbox@", ":wrong@"))

    with pytest.raises(Denied):
        run()

    assert [(each.status, each.attempts) for each in letters(engine)] == [("pending", 0)]


def test_what_a_dead_run_has_left_goes_out_with_the_same_message_id(
    run: Any, engine: Engine, sandbox: Sandboxed
) -> None:
    # Given a run that died after the first letter went out, and another one that is at work
    left, _ = add_letters(engine, {}, {})
    run(max=1)
    with engine.begin() as connection:
        connection.execute(
            text("""
UPDATE business.email_queue
   SET status = 'pending', sent_at = NULL, attempts = 1
     , claimed_at = now() - CASE WHEN id = :left THEN interval '11 minutes' ELSE interval '5 seconds' END
"""),
            {"left": left},
        )

    result = run()

    assert result["ids"]["processed"] == [left]
    assert states(engine) == ["sent", "pending"]
    assert (sandbox.counts("mail")["deliveries"], sandbox.counts("mail")["repeats"]) == (1, 1)


def test_a_letter_that_nobody_foresaw_is_passed_over(
    run: Any, engine: Engine, sandbox: Sandboxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    from callboard.actors.providers.mail import Letter, Mailer

    add_letters(engine, {"subject": "odd"}, {}, {})
    send = Mailer.send

    def fails(self: Mailer, letter: Letter) -> None:
        if letter.subject == "odd":
            raise RuntimeError("no idea")
        send(self, letter)

    monkeypatch.setattr(Mailer, "send", fails)

    assert run()["processed"] == 2
    odd, *others = letters(engine)
    assert (odd.status, odd.attempts, odd.error) == ("pending", 1, "no idea")
    assert {letter.status for letter in others} == {"sent"}


def test_with_nothing_to_send_no_mail_server_is_needed(
    run: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CALLBOARD_SANDBOX_SMTP_URL")

    assert run()["processed"] == 0
    add_letters(engine, {})
    with pytest.raises(BadSettings, match="SMTP_URL"):
        run()
    assert states(engine) == ["pending"]


def test_a_dry_run_sends_and_changes_nothing(run: Any, engine: Engine, sandbox: Sandboxed) -> None:
    ids = add_letters(engine, {}, {})
    before = letters(engine)

    result = run(dry_run=True, batch_size=1)

    assert (result["ids"]["processed"], result["dry_run"]) == (ids, True)
    assert letters(engine) == before
    assert sandbox.deliveries("mail") == []


def test_a_server_that_takes_so_many_letters_of_a_connection_gets_the_others_by_the_next_ones(
    run: Any, engine: Engine, sandbox: Sandboxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a server that ends a connection at its fourth letter
    take = smtp.Sink.handle_MAIL

    async def limited(
        self: smtp.Sink, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        session.letters = getattr(session, "letters", 0) + 1
        if session.letters > 3:
            return "421 4.7.0 Too many messages in this connection"
        return await take(self, server, session, envelope, address, options)

    monkeypatch.setattr(smtp.Sink, "handle_MAIL", limited)
    add_letters(engine, *[{}] * 10)
    # When a run sends
    result = run()
    # Expect all out
    assert result["processed"] == 10
    assert sandbox.counts("mail")["deliveries"] == 10


def test_a_run_that_is_stopped_while_the_server_takes_a_letter_has_marked_it(
    run: Any, engine: Engine, sandbox: Sandboxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a server that takes a second to say that it has the letter
    take = smtp.Sink.handle_DATA

    async def slow(self: smtp.Sink, server: Any, session: Any, envelope: Any) -> str:
        answer = await take(self, server, session, envelope)
        await asyncio.sleep(1.0)
        return answer

    monkeypatch.setattr(smtp.Sink, "handle_DATA", slow)
    add_letters(engine, {}, {}, {})
    # When the run is stopped in that second
    stopped = interrupted(run, lambda: sandbox.counts("mail").get("deliveries", 0) >= 1)
    # Expect that letter marked, and the others waiting with all their attempts
    assert isinstance(stopped, Shutdown)
    assert [(each.status, each.attempts, each.claimed_at) for each in letters(engine)] == [
        ("sent", 1, None),
        ("pending", 0, None),
        ("pending", 0, None),
    ]
    assert sandbox.counts("mail")["deliveries"] == 1


def test_a_letter_that_fails_without_words_is_known_by_the_errors_name(
    run: Any, engine: Engine, sandbox: Sandboxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: object, letter: object) -> None:
        raise TimeoutError

    monkeypatch.setattr("callboard.actors.providers.mail.Mailer.send", fails)
    add_letters(engine, {})

    run()

    assert letters(engine)[0].error == "TimeoutError"
