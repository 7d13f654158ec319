"""E-mail over SMTP: one connection for as many letters as there are.

An SMTP server knows no idempotency key. What a letter has is its `Message-ID`, the same in every attempt, by
which mailboxes and servers drop a second copy.
"""

import smtplib
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import SplitResult, unquote, urlsplit

from callboard.actors.providers import where
from callboard.actors.providers.errors import Deferred, Denied, Refused, ServiceError, Unreachable
from callboard.core.errors import BadSettings

#: Seconds that a step of the conversation may take.
TIMEOUT_S: Final = 15.0
LOCAL: Final = ("127.0.0.1", "::1", "localhost")
NAME: Final = "The mail server"
#: By which a server says that it ends the connection.
CLOSING: Final = 421


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter in plain text. `written_at` is its date, the same in every attempt, as `message_id` is."""

    to: str
    subject: str
    body: str
    message_id: str
    written_at: datetime


class Mailer:
    """A connection to the mail server, made when the first letter is sent and again when it was lost.

    Not to be shared between threads. As a context manager it closes at the end.
    """

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        """Raises BadSettings: the settings name neither a server nor a sandbox."""
        place = where.mail()
        self._sender = place.account
        self._url = urlsplit(place.base_url)
        self._timeout_s = timeout_s
        self._server: _Server | None = None
        if self._url.scheme not in ("smtp", "smtps") or not self._url.hostname:
            raise BadSettings("The setting SMTP_URL is wrong: it must be like smtp://user:password@host:587.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def send(self, letter: Letter) -> None:
        """Hand a letter over; afterwards the server is answerable for it.

        Raises:
            Denied: the server takes no letters from us.
            Refused: it will never take this one.
            Deferred: it does not take this one now.
            Unreachable: it does not answer, or the connection broke.
        """
        message = _message(letter, self._sender)
        used = self._server is not None
        server = self._connected()
        server.began_data = False
        try:
            try:
                server.send_message(message, to_addrs=[letter.to])
            except (smtplib.SMTPException, OSError) as error:
                # Servers end connections that have carried enough letters, or were idle: a new one will do.
                if not used or server.began_data or not _is_over(error):
                    raise
                self._close()
                server = self._connected()
                server.send_message(message, to_addrs=[letter.to])
        except smtplib.SMTPRecipientsRefused as error:
            code, said = error.recipients[letter.to]
            raise self._judged(code, said, "the address") from None
        except smtplib.SMTPSenderRefused as error:
            if error.smtp_code >= 500:
                raise Denied(
                    _sentence("takes nothing from this sender", error.smtp_code, error.smtp_error)
                ) from None
            raise self._judged(error.smtp_code, error.smtp_error, "the sender") from None
        except (smtplib.SMTPDataError, smtplib.SMTPHeloError) as error:
            raise self._judged(error.smtp_code, error.smtp_error, "the letter") from None
        except smtplib.SMTPNotSupportedError:
            raise Refused(f"{NAME} takes no addresses beyond ASCII.", service=NAME) from None
        except (smtplib.SMTPException, OSError) as error:
            raise self._lost(error, maybe_done=server.began_data) from None

    def _connected(self) -> "_Server":
        if self._server is not None:
            return self._server
        try:
            server = _connect(self._url, self._timeout_s)
        except smtplib.SMTPConnectError as error:
            raise Unreachable(
                _sentence("takes no connection", error.smtp_code, error.smtp_error), service=NAME
            ) from None
        except (smtplib.SMTPException, OSError) as error:
            raise self._lost(error) from None
        try:
            _introduce(server, self._url)
        except smtplib.SMTPAuthenticationError as error:
            server.close()
            words = _sentence("does not take user and password", error.smtp_code, error.smtp_error)
            raise (Unreachable if error.smtp_code < 500 else Denied)(words, service=NAME) from None
        except ServiceError:
            server.close()
            raise
        except (smtplib.SMTPException, OSError) as error:
            server.close()
            raise self._lost(error) from None
        self._server = server
        return server

    def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _judged(self, code: int, said: bytes | str, what: str) -> ServiceError:
        """What a refusal in the middle of the conversation means."""
        if code == CLOSING:
            return self._lost(smtplib.SMTPServerDisconnected(_words(said)))
        if code >= 500:
            return Refused(_sentence(f"refuses {what}", code, said), service=NAME, code=str(code))
        return Deferred(_sentence(f"does not take {what} now", code, said), service=NAME)

    def _lost(self, error: Exception, *, maybe_done: bool = False) -> Unreachable:
        self._close()
        words = _words(str(error))
        if isinstance(error, TimeoutError) or words.endswith("timed out"):
            words = "no answer in time"
        return Unreachable(
            f"{NAME} could not be reached: {words or type(error).__name__}.",
            service=NAME,
            maybe_done=maybe_done,
        )


class _Server(smtplib.SMTP):
    """Notes when a letter's own words are being sent: what fails before that has surely sent nothing."""

    began_data = False

    def data(self, msg: Any) -> tuple[int, bytes]:
        self.began_data = True
        return super().data(msg)


class _EncryptedServer(_Server, smtplib.SMTP_SSL):
    pass


def _connect(url: SplitResult, timeout_s: float) -> _Server:
    host = url.hostname or ""
    if url.scheme == "smtps":
        context = ssl.create_default_context()
        return _EncryptedServer(host, url.port or 465, timeout=timeout_s, context=context)
    return _Server(host, url.port or 587, timeout=timeout_s)


def _is_over(error: Exception) -> bool:
    """Whether the server has ended the connection."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return any(code == CLOSING for code, _ in error.recipients.values())
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code == CLOSING
    return isinstance(error, smtplib.SMTPServerDisconnected | ConnectionError)


def _introduce(server: smtplib.SMTP, url: SplitResult) -> None:
    """Encrypt and log in, as far as the address and the server want it."""
    server.ehlo_or_helo_if_needed()
    local = url.hostname in LOCAL
    if url.scheme == "smtp" and server.has_extn("starttls") and not local:
        server.starttls(context=ssl.create_default_context())
        server.ehlo()
    elif url.scheme == "smtp" and url.username and not local:
        raise Denied(f"{NAME} offers no encryption, and a password is not sent without.", service=NAME)
    if url.username:
        server.login(unquote(url.username), unquote(url.password or ""))


def _message(letter: Letter, sender: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    try:
        message["From"] = sender
        message["To"] = letter.to
        message["Subject"] = letter.subject
        message["Message-ID"] = letter.message_id
        message["Date"] = format_datetime(letter.written_at)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.body)
    except (ValueError, LookupError, AttributeError) as error:
        # A line break in a header, say, by which somebody could add headers.
        raise Refused(f"The letter cannot be written: {_words(str(error))}.", service=NAME) from None
    return message


def _sentence(what: str, code: int, said: bytes | str) -> str:
    return f"{NAME} {what}: {_words(said)} ({code})."


def _words(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join(text.split())[:300].rstrip(".")
