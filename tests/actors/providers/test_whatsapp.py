"""WhatsApp's client, against the sandbox."""

from collections.abc import Iterator

import httpx
import pytest

from callboard.actors.providers.errors import Deferred, Denied, Overloaded, Refused, Unreachable
from callboard.actors.providers.whatsapp import WhatsApp
from callboard.core.errors import BadSettings
from helpers.sandboxed import Sandboxed, sandboxed


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandboxed]:
    with sandboxed() as running:
        for name, value in running.environ.items():
            monkeypatch.setenv(name, value)
        yield running


def test_a_message_goes_out_and_the_providers_id_comes_back(sandbox: Sandboxed) -> None:
    said = WhatsApp().send_text("+33612345678", "Hello", key="offer:1")

    (delivered,) = sandbox.deliveries("whatsapp")
    assert said == delivered["id"]
    assert (delivered["to"], delivered["text"], delivered["key"]) == ("+33612345678", "Hello", "offer:1")


def test_a_template_goes_out_with_what_stands_for_its_places(sandbox: Sandboxed) -> None:
    said = WhatsApp().send_template("+33612345678", "offer", ["Ada", "10%"], language="fr", key="offer:1")

    (delivered,) = sandbox.deliveries("whatsapp")
    assert said == delivered["id"]
    assert delivered["template"] == {
        "name": "offer",
        "language": {"code": "fr"},
        "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "Ada"}, {"type": "text", "text": "10%"}]}
        ],
    }


def test_a_text_reaches_only_who_has_just_written_and_a_template_anybody(sandbox: Sandboxed) -> None:
    sandbox.turn("whatsapp", holds_window=True)
    httpx.post(f"{sandbox.url}/whatsapp/_inbound", json={"from": "+33611111111"}, trust_env=False)

    with pytest.raises(Refused, match="131047"):
        WhatsApp().send_text("+33612345678", "Hello", key="1")
    WhatsApp().send_text("+33611111111", "Hello", key="2")
    WhatsApp().send_template("+33612345678", "hello", language="en", key="3")

    assert {each["key"] for each in sandbox.deliveries("whatsapp")} == {"2", "3"}


def test_one_recipient_who_has_had_too_much_is_deferred(sandbox: Sandboxed) -> None:
    with pytest.raises(Deferred, match="131056"):
        WhatsApp().send_text("+33612340056", "Hello", key="1")


def test_one_key_is_one_message_with_one_id(sandbox: Sandboxed) -> None:
    whatsapp = WhatsApp()

    first = whatsapp.send_text("+33612345678", "Hello", key="offer:1")
    second = whatsapp.send_text("+33612345678", "Hello", key="offer:1")

    assert first == second
    assert sandbox.counts("whatsapp")["deliveries"] == 1


def test_a_number_that_is_not_on_whatsapp_is_refused_with_the_providers_words(sandbox: Sandboxed) -> None:
    with pytest.raises(Refused, match="undeliverable") as caught:
        WhatsApp().send_text("+33612340000", "Hello", key="1")

    assert (caught.value.code, type(caught.value)) == ("131026", Refused)


def test_a_wrong_token_is_no_fault_of_the_message(
    sandbox: Sandboxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLBOARD_SANDBOX_TOKEN", "expired")

    with pytest.raises(Denied, match="HTTP 401") as caught:
        WhatsApp().send_text("+33612345678", "Hello", key="1")

    assert "expired" not in str(caught.value)


def test_a_number_of_ours_that_does_not_exist_is_no_fault_of_the_message(
    sandbox: Sandboxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHATSAPP_URL", f"{sandbox.url}/whatsapp/v23.0")
    monkeypatch.setenv("WHATSAPP_TOKEN", sandbox.token)
    monkeypatch.setenv("WHATSAPP_PHONE_NUMBER_ID", "mistyped")

    with pytest.raises(Denied, match="does not exist"):
        WhatsApp().send_text("+33612345678", "Hello", key="1")


@pytest.mark.parametrize(
    ("knobs", "kind"),
    [
        ({"failure_rate": 1, "failure_status": 429}, Overloaded),
        ({"failure_rate": 1}, Unreachable),
        ({"outage": True}, Unreachable),
    ],
)
def test_a_provider_that_cannot_is_told_apart_from_one_that_will_not(
    sandbox: Sandboxed, monkeypatch: pytest.MonkeyPatch, knobs: dict[str, object], kind: type[Exception]
) -> None:
    monkeypatch.setattr("callboard.actors.providers.whatsapp.PATIENCE_S", 0.3)
    sandbox.turn("whatsapp", **knobs)

    with pytest.raises(kind):
        WhatsApp().send_text("+33612345678", "Hello", key="1")


def test_without_credentials_and_sandbox_the_missing_settings_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("CALLBOARD_SANDBOX_URL", "WHATSAPP_TOKEN", "WHATSAPP_PHONE_NUMBER_ID"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(BadSettings, match="WHATSAPP_TOKEN and WHATSAPP_PHONE_NUMBER_ID"):
        WhatsApp()
