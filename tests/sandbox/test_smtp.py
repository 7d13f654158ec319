"""The sandbox's mail, by Python's own client."""

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest

from helpers.sandboxed import Sandboxed


@pytest.fixture
def smtp(sandbox: Sandboxed) -> Iterator[smtplib.SMTP]:
    """Logged in."""
    with connect(sandbox) as connection:
        address = urlsplit(sandbox.smtp_url)
        connection.login(address.username or "", address.password or "")
        yield connection


def connect(sandbox: Sandboxed) -> smtplib.SMTP:
    address = urlsplit(sandbox.smtp_url)
    return smtplib.SMTP(address.hostname or "", address.port or 0, timeout=20)


def message(identity: str | None = "<1@callboard>", to: str = "ada@example.org") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "us@example.org", to, "Votre reçu"
    if identity:
        mail["Message-ID"] = identity
    mail.set_content("Merci, à bientôt.")
    return mail


def test_a_message_is_kept_and_can_be_read(smtp: smtplib.SMTP, sandbox: Sandboxed) -> None:
    assert smtp.send_message(message()) == {}

    (mail,) = sandbox.deliveries("mail")
    assert (mail["id"], mail["from"], mail["to"]) == ("<1@callboard>", "us@example.org", "ada@example.org")
    assert (mail["subject"], mail["text"].strip()) == ("Votre reçu", "Merci, à bientôt.")


def test_the_same_message_again_is_accepted_and_not_delivered(smtp: smtplib.SMTP, sandbox: Sandboxed) -> None:
    for identity in ("<1@callboard>", "<1@callboard>", "<2@callboard>"):
        smtp.send_message(message(identity))

    assert [mail["id"] for mail in sandbox.deliveries("mail")] == ["<2@callboard>", "<1@callboard>"]
    assert (sandbox.counts("mail")["deliveries"], sandbox.counts("mail")["repeats"]) == (2, 1)


def test_messages_without_an_identity_are_all_delivered(smtp: smtplib.SMTP, sandbox: Sandboxed) -> None:
    for _ in range(2):
        smtp.send_message(message(None))

    assert len(sandbox.deliveries("mail")) == 2


def test_nobody_does_not_exist(smtp: smtplib.SMTP, sandbox: Sandboxed) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        smtp.send_message(message(to="nobody.there@example.org"))

    assert refused.value.recipients["nobody.there@example.org"][0] == 550
    assert not sandbox.deliveries("mail")


def test_a_login_is_needed_and_has_to_be_the_right_one(sandbox: Sandboxed) -> None:
    with connect(sandbox) as connection:
        with pytest.raises(smtplib.SMTPResponseException) as stranger:
            connection.send_message(message())
        with pytest.raises(smtplib.SMTPAuthenticationError) as wrong:
            connection.login("sandbox", "hunter2")

    assert stranger.value.smtp_code == 530
    assert wrong.value.smtp_code == 535
    assert not sandbox.deliveries("mail")


def test_bad_days_are_temporary_errors(smtp: smtplib.SMTP, sandbox: Sandboxed) -> None:
    sandbox.turn("mail", failure_rate=1)
    with pytest.raises(smtplib.SMTPDataError) as failed:
        smtp.send_message(message())
    assert failed.value.smtp_code == 451
    assert not sandbox.deliveries("mail")

    sandbox.turn("mail", failure_rate=0, lost_answer_rate=1)
    with pytest.raises(smtplib.SMTPDataError):
        smtp.send_message(message())
    sandbox.turn("mail", lost_answer_rate=0)
    smtp.send_message(message())
    assert len(sandbox.deliveries("mail")) == 1, "sent twice, shown once"

    sandbox.turn("mail", rate_limit=0.001)
    smtp.send_message(message("<2@callboard>"))
    with pytest.raises(smtplib.SMTPSenderRefused) as busy:
        smtp.send_message(message("<3@callboard>"))
    assert busy.value.smtp_code == 450


def test_in_an_outage_the_door_is_closed(sandbox: Sandboxed) -> None:
    sandbox.turn("mail", outage=True)

    with connect(sandbox) as connection:
        assert connection.ehlo()[0] == 421
