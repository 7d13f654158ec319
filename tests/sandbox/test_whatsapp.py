"""The sandbox's WhatsApp, held against what Meta documents of the real one."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from helpers.sandboxed import Sandboxed

PATH = "/whatsapp/v23.0/100000000000001/messages"
TEXT = {
    "messaging_product": "whatsapp",
    "recipient_type": "individual",
    "to": "+33612345678",
    "type": "text",
    "text": {"preview_url": False, "body": "Your table is ready."},
}
TEMPLATE = {
    "messaging_product": "whatsapp",
    "to": "33612345678",
    "type": "template",
    "template": {"name": "hello_world", "language": {"code": "en_US"}},
}


def error_of(answer: httpx.Response) -> dict[str, Any]:
    """The error, in the shape that all of Graph's have."""
    error: dict[str, Any] = answer.json()["error"]
    assert {"message", "type", "code", "fbtrace_id"} <= error.keys()
    assert error["type"] == "OAuthException"
    return error


@pytest.mark.parametrize("message", [TEXT, TEMPLATE], ids=["text", "template"])
def test_a_message_is_taken_and_delivered(
    client: httpx.Client, sandbox: Sandboxed, message: dict[str, Any]
) -> None:
    answer = client.post(PATH, json=message)

    assert answer.status_code == 200
    said = answer.json()
    assert said["messaging_product"] == "whatsapp"
    assert said["contacts"] == [{"input": message["to"], "wa_id": "33612345678"}]
    assert said["messages"][0]["id"].startswith("wamid.")
    (delivered,) = sandbox.deliveries("whatsapp")
    assert (delivered["id"], delivered["to"]) == (said["messages"][0]["id"], message["to"])


def test_the_same_key_is_answered_with_the_same_message_and_delivers_once(
    client: httpx.Client, sandbox: Sandboxed
) -> None:
    def send(_: int) -> str:
        answer = client.post(PATH, json=TEXT, headers={"Idempotency-Key": "offer:17"})
        return str(answer.json()["messages"][0]["id"])

    with ThreadPoolExecutor(8) as threads:
        ids = set(threads.map(send, range(40)))

    assert len(ids) == 1
    assert len(sandbox.deliveries("whatsapp")) == 1
    assert sandbox.counts("whatsapp")["repeats"] == 39


def test_without_a_key_or_with_another_one_a_message_is_delivered_again(
    client: httpx.Client, sandbox: Sandboxed
) -> None:
    for key in (None, None, "a", "b"):
        client.post(PATH, json=TEXT, headers={} if key is None else {"Idempotency-Key": key})

    assert len({each["id"] for each in sandbox.deliveries("whatsapp")}) == 4


def test_a_token_is_needed_and_has_to_be_the_right_one(client: httpx.Client, sandbox: Sandboxed) -> None:
    none = client.post(PATH, json=TEXT, headers={"Authorization": ""})
    wrong = client.post(PATH, json=TEXT, headers={"Authorization": "Bearer other"})

    assert (none.status_code, error_of(none)["code"]) == (401, 104)
    assert (wrong.status_code, error_of(wrong)["code"]) == (401, 190)
    assert wrong.headers["WWW-Authenticate"].startswith('OAuth "Facebook Platform" "invalid_token"')
    assert not sandbox.deliveries("whatsapp")


@pytest.mark.parametrize(
    "change",
    [
        {"messaging_product": "sms"},
        {"to": None},
        {"to": "0612345678"},
        {"to": 33612345678},
        {"type": "carrier_pigeon"},
        {"text": None},
        {"text": {"body": ""}},
        {"text": {"body": "x" * 4_097}},
        {"type": "template"},
        {"type": "template", "template": {"name": "hello_world"}},
    ],
    ids=str,
)
def test_a_message_that_makes_no_sense_is_an_invalid_parameter(
    client: httpx.Client, sandbox: Sandboxed, change: dict[str, Any]
) -> None:
    answer = client.post(PATH, json={**TEXT, **change})

    assert answer.status_code == 400
    error = error_of(answer)
    assert (error["code"], error["message"]) == (100, "(#100) Invalid parameter")
    assert error["error_data"]["details"]
    assert not sandbox.deliveries("whatsapp")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_object_is_an_invalid_parameter(client: httpx.Client, body: bytes) -> None:
    answer = client.post(PATH, content=body)

    assert (answer.status_code, error_of(answer)["code"]) == (400, 100)


def test_a_number_without_whatsapp_cannot_be_reached(client: httpx.Client, sandbox: Sandboxed) -> None:
    answer = client.post(PATH, json={**TEXT, "to": "+33612340000"})

    assert answer.status_code == 400
    assert error_of(answer)["code"] == 131026
    assert not sandbox.deliveries("whatsapp")


@pytest.mark.parametrize("path", ["/whatsapp/23/1/messages", "/whatsapp/v23.0/us/messages"])
def test_another_version_or_number_than_there_can_be_is_not_supported(
    client: httpx.Client, path: str
) -> None:
    answer = client.post(path, json=TEXT)

    assert answer.status_code == 400
    assert (error_of(answer)["code"], error_of(answer)["error_subcode"]) == (100, 33)


def test_what_is_not_served_is_told_in_graphs_shape(client: httpx.Client) -> None:
    assert error_of(client.get("/whatsapp/v23.0/1/templates"))["code"] == 100
    assert client.get(PATH).status_code == 405


def test_too_many_requests_are_answered_with_its_code_and_a_wait(
    client: httpx.Client, sandbox: Sandboxed
) -> None:
    sandbox.turn("whatsapp", rate_limit=0.01)

    first, second = (client.post(PATH, json=TEXT) for _ in range(2))

    assert (first.status_code, second.status_code) == (200, 429)
    assert error_of(second)["code"] == 130429
    assert second.headers["Retry-After"] == "1"
    assert len(sandbox.deliveries("whatsapp")) == 1
