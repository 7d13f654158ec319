"""Letters, handed to the sandbox's SMTP server and to servers that misbehave."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from callboard.actors.providers.errors import Deferred, Denied, Refused, ServiceError, Unreachable
from callboard.actors.providers.mail import Letter, Mailer
from callboard.core.errors import BadSettings
from helpers.sandboxed import Sandboxed, sandboxed

WRITTEN = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandboxed]:
    with sandboxed() as running:
        for name, value in running.environ.items():
            monkeypatch.setenv(name, value)
        yield running


def letter(to: str = "ada@example.org", **more: Any) -> Letter:
    fields = {
        "subject": "News",
        "body": "All is well.\n",
        "message_id": "<1@callboard>",
        "written_at": WRITTEN,
    }
    return Letter(to=to, **(fields | more))


def test_letters_go_out_over_one_connection_with_words_of_all_languages(sandbox: Sandboxed) -> None:
    with Mailer() as mailer:
        mailer.send(letter(subject="Écrit à la main", body="Ça va ? 你好\n"))
        mailer.send(letter("bob@example.org", message_id="<2@callboard>"))

    second, first = sandbox.deliveries("mail")
    assert (first["to"], first["subject"], first["text"].strip()) == (
        "ada@example.org",
        "Écrit à la main",
        "Ça va ? 你好",
    )
    assert (first["id"], second["id"]) == ("<1@callboard>", "<2@callboard>")


def test_the_same_letter_twice_has_the_same_message_id_and_is_shown_once(sandbox: Sandboxed) -> None:
    with Mailer() as mailer:
        mailer.send(letter())
        mailer.send(letter())

    assert (sandbox.counts("mail")["deliveries"], sandbox.counts("mail")["repeats"]) == (1, 1)


def test_an_address_that_does_not_exist_is_refused_and_the_next_letter_goes_out(sandbox: Sandboxed) -> None:
    with Mailer() as mailer:
        with pytest.raises(Refused, match=r"refuses the address: .* does not exist \(550\)") as caught:
            mailer.send(letter("nobody@example.org"))
        mailer.send(letter())

    assert not isinstance(caught.value, Denied)
    assert len(sandbox.deliveries("mail")) == 1


def test_what_the_server_does_not_take_now_is_deferred(sandbox: Sandboxed) -> None:
    sandbox.turn("mail", failure_rate=1)

    with Mailer() as mailer, pytest.raises(Deferred, match=r"does not take the letter now: .* \(451\)"):
        mailer.send(letter())


def test_a_server_that_is_closing_is_unreachable(sandbox: Sandboxed) -> None:
    sandbox.turn("mail", outage=True)

    with Mailer() as mailer, pytest.raises(Unreachable):
        mailer.send(letter())


def test_a_wrong_password_is_no_fault_of_a_letter(
    sandbox: Sandboxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLBOARD_SANDBOX_SMTP_URL", sandbox.smtp_url.replace(":sandbox@", ":wrong@"))

    with Mailer() as mailer, pytest.raises(Denied, match="does not take user and password") as caught:
        mailer.send(letter())

    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize(
    "bad",
    [
        letter(subject="News\r\nBcc: everybody@example.org"),
        letter("ada@example.org\r\nBcc: everybody@example.org"),
    ],
)
def test_nobody_adds_headers_by_a_line_break(sandbox: Sandboxed, bad: Letter) -> None:
    with Mailer() as mailer, pytest.raises(Refused, match="cannot be written"):
        mailer.send(bad)

    assert sandbox.deliveries("mail") == []


@pytest.mark.parametrize("url", ["http://localhost", "smtp://", "localhost:25"])
def test_an_address_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("SMTP_URL", url)
    monkeypatch.setenv("MAIL_FROM", "callboard@example.org")

    with pytest.raises(BadSettings, match="SMTP_URL"):
        Mailer()


@contextmanager
def server(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that talks to one client in its own way."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                talk(client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"smtp://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(10)


def silent(client: socket.socket) -> None:
    client.recv(1)


def hangs_up_in_mid_letter(client: socket.socket) -> None:
    client.sendall(b"220 hello\r\n")
    for answer in (b"250 hello\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n"):
        client.recv(4096)
        client.sendall(answer)
    client.recv(65_536)


def knows_nobody(client: socket.socket) -> None:
    client.sendall(b"220 hello\r\n")
    for answer in (b"250 hello\r\n", b"550 5.7.1 we do not know you\r\n", b"250 reset\r\n"):
        client.recv(4096)
        client.sendall(answer)
    client.recv(4096)


@pytest.mark.parametrize(
    ("talk", "kind", "words", "maybe_done"),
    [
        (silent, Unreachable, "no answer in time", False),
        (hangs_up_in_mid_letter, Unreachable, "could not be reached", True),
        (knows_nobody, Denied, "takes nothing from this sender: .*we do not know you", None),
    ],
)
def test_a_server_that_misbehaves_is_told_apart(
    monkeypatch: pytest.MonkeyPatch,
    talk: Callable[[socket.socket], None],
    kind: type[ServiceError],
    words: str,
    maybe_done: bool | None,
) -> None:
    with server(talk) as url:
        monkeypatch.setenv("SMTP_URL", url)
        monkeypatch.setenv("MAIL_FROM", "callboard@example.org")
        with Mailer(timeout_s=0.5) as mailer, pytest.raises(kind, match=words) as caught:
            mailer.send(letter())

    assert getattr(caught.value, "maybe_done", None) == maybe_done


def test_a_connection_that_was_lost_between_two_letters_is_made_anew(sandbox: Sandboxed) -> None:
    with Mailer() as mailer:
        mailer.send(letter())
        assert mailer._server is not None
        mailer._server.sock.shutdown(socket.SHUT_RDWR)
        mailer.send(letter(message_id="<2@callboard>"))

    assert [each["id"] for each in sandbox.deliveries("mail")] == ["<2@callboard>", "<1@callboard>"]


def test_a_connection_that_is_lost_once_more_is_given_up(sandbox: Sandboxed) -> None:
    with Mailer() as mailer:
        mailer.send(letter())
        sandbox.turn("mail", outage=True)
        with pytest.raises(Unreachable) as caught:
            mailer.send(letter(message_id="<2@callboard>"))

    assert not caught.value.maybe_done
    assert len(sandbox.deliveries("mail")) == 1


def test_a_letter_whose_words_were_being_sent_is_not_sent_again_at_once(sandbox: Sandboxed) -> None:
    with Mailer() as mailer:
        mailer.send(letter())
        server = mailer._server
        assert server is not None
        put = server.putcmd

        def breaks(command: str, arguments: str = "") -> None:
            put(command, arguments)
            if command == "data":
                server.sock.shutdown(socket.SHUT_RDWR)

        server.putcmd = breaks  # type: ignore[method-assign]
        with pytest.raises(Unreachable) as caught:
            mailer.send(letter(message_id="<2@callboard>"))

    assert caught.value.maybe_done
