"""Mail: a real SMTP server that delivers to nobody and keeps what it took.

As mailboxes do, it shows a message once however often it comes: the same Message-ID to the same address again
is accepted and not delivered. Addresses whose name begins with `nobody` do not exist. The knobs are those of
the service `mail`.
"""

import asyncio
import logging
import warnings
from email import message_from_bytes, policy
from functools import partial
from typing import Any
from uuid import uuid4

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from callboard.sandbox.addresses import MAIL_USER
from callboard.sandbox.knobs import Knob, Setting
from callboard.sandbox.state import State, now

NAME = "mail"
DEFAULTS = Setting()
#: Messages that are kept, and characters of each.
KEPT = 50_000
LONGEST = 4_000

BUSY = "450 4.7.1 Too many messages, try again later"
BROKEN = "451 4.3.0 Something went wrong, try again later"
CLOSED = "421 4.3.2 Service not available"


class Sink:
    """Hears what clients say, in the words of aiosmtpd."""

    def __init__(self, state: State, knob: Knob) -> None:
        self._state = state
        self._knob = knob

    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Session, _envelope: Envelope, name: str, responses: list[str]
    ) -> list[str]:
        """Greet, or be closed."""
        await asyncio.sleep(self._knob.delay_s())
        session.host_name = name
        return [CLOSED] if self._knob.setting.outage else responses

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a sender."""
        if self._knob.setting.outage:
            return self._answer(CLOSED)
        if not self._knob.admits():
            return self._answer(BUSY)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient who exists."""
        if address.partition("@")[0].lower().startswith("nobody"):
            return self._answer("550 5.1.1 The address does not exist")
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a message."""
        if self._knob.falls(self._knob.setting.failure_rate):
            return self._answer(BROKEN)
        self._keep(envelope)
        if self._knob.falls(self._knob.setting.lost_answer_rate):
            self._state.count(NAME, "lost_answers")
            return self._answer(BROKEN)
        return self._answer("250 2.0.0 OK")

    def _keep(self, envelope: Envelope) -> None:
        content = envelope.content or b""
        data = content if isinstance(content, bytes) else content.encode()
        message = message_from_bytes(data, policy=policy.default)
        identity = str(message["Message-ID"] or "").strip() or f"<{uuid4()}@none>"
        body = message.get_body(("plain", "html"))
        mail = {
            "id": identity,
            "from": envelope.mail_from,
            "subject": str(message["Subject"] or ""),
            "text": (body.get_content() if body is not None else "")[:LONGEST],
        }
        shelf = self._state.shelf(f"{NAME}.deliveries", KEPT)
        for address in envelope.rcpt_tos:
            delivered = partial(dict[str, Any], at=now(), to=address, **mail)
            _, repeated = shelf.once(f"{identity} {address}", delivered)
            self._state.count(NAME, "repeats" if repeated else "deliveries")

    def _answer(self, answer: str) -> str:
        self._state.count(NAME, "requests")
        self._state.count(NAME, f"status_{answer[:3]}")
        self._state.log.append({"at": now(), "service": NAME, "method": "SMTP", "status": answer})
        return answer


def make_session(state: State, knob: Knob) -> SMTP:
    """What listens to one connection."""

    def authenticate(
        _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any
    ) -> AuthResult:
        good = isinstance(given, LoginPassword) and (given.login, given.password) == (
            MAIL_USER.encode(),
            state.token.encode(),
        )
        return AuthResult(success=good, handled=False)

    # It warns of passwords without TLS; here they never leave the machine.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    with warnings.catch_warnings(action="ignore"):
        return SMTP(
            Sink(state, knob),
            hostname="sandbox.invalid",
            ident="Callboard's sandbox",
            enable_SMTPUTF8=True,
            auth_required=True,
            auth_require_tls=False,
            authenticator=authenticate,
        )
