"""The base of all clients against the sandbox: what is done once stays done once on a bad day."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from callboard.actors.providers import where
from callboard.actors.providers.http import Overloaded, Refused, Service, Unreachable
from helpers.sandboxed import Sandboxed, sandboxed


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> Iterator[Sandboxed]:
    """Running, and found by the settings."""
    monkeypatch.setenv("CALLBOARD_HOME", str(tmp_path))
    with sandboxed() as running:
        for name, value in running.environ.items():
            monkeypatch.setenv(name, value)
        yield running


def send(number: int, *, key: str | None = None, patience_s: float = 60.0) -> str:
    place = where.whatsapp()
    service = Service("WhatsApp", place.base_url, token=place.token, patience_s=patience_s)
    message = {
        "messaging_product": "whatsapp",
        "to": f"+336{number:08}",
        "type": "text",
        "text": {"body": "Hello"},
    }
    answer = service.post(f"/{place.account}/messages", message, idempotency_key=key)
    return str(answer["messages"][0]["id"])


def test_every_message_arrives_once_though_answers_are_lost_and_requests_fail(sandbox: Sandboxed) -> None:
    sandbox.turn("whatsapp", failure_rate=0.2, lost_answer_rate=0.2, failure_status=503, seed=7)

    with ThreadPoolExecutor(4) as threads:
        ids = list(threads.map(lambda number: send(number, key=f"offer:{number}"), range(1, 41)))

    delivered = sandbox.deliveries("whatsapp")
    assert len(delivered) == 40
    assert {each["id"] for each in delivered} == set(ids)
    assert sandbox.counts("whatsapp")["lost_answers"] >= 1


def test_a_lost_answer_without_a_key_is_not_asked_for_again(sandbox: Sandboxed) -> None:
    sandbox.turn("whatsapp", lost_answer_rate=1)

    with pytest.raises(Unreachable) as lost:
        send(1)

    assert lost.value.maybe_done
    assert len(sandbox.deliveries("whatsapp")) == 1


def test_a_refusal_has_metas_code_and_words(sandbox: Sandboxed) -> None:
    with pytest.raises(Refused) as refused:
        send(10_000, key="k")

    assert refused.value.code == "131026"
    assert str(refused.value) == (
        "WhatsApp refused POST /100000000000001/messages: (#131026) Message undeliverable (131026, HTTP 400)."
    )


def test_a_limit_that_does_not_let_up_is_told_with_the_wait_asked_for(sandbox: Sandboxed) -> None:
    sandbox.turn("whatsapp", rate_limit=0.001)
    send(1)

    with pytest.raises(Overloaded) as overloaded:
        send(2, patience_s=0.5)

    assert overloaded.value.retry_after == 1.0


def test_an_outage_is_told_when_patience_ends(sandbox: Sandboxed) -> None:
    sandbox.turn("whatsapp", outage=True)

    with pytest.raises(Unreachable, match=r"HTTP 503\.$"):
        send(1, key="k", patience_s=0.5)
