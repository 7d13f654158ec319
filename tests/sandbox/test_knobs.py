"""Bad days on demand."""

import time

import httpx
import pytest

from helpers.sandboxed import Sandboxed

PATH = "/whatsapp/v23.0/1/messages"
TEXT = {"messaging_product": "whatsapp", "to": "+33612345678", "type": "text", "text": {"body": "Hello"}}


def statuses(client: httpx.Client, number: int) -> list[int]:
    return [client.post(PATH, json=TEXT).status_code for _ in range(number)]


def test_a_share_of_requests_fails_before_anything_is_done(client: httpx.Client, sandbox: Sandboxed) -> None:
    sandbox.turn("whatsapp", failure_rate=0.5, failure_status=503, seed=7)

    seen = statuses(client, 40)

    assert 5 < seen.count(503) < 35
    assert len(sandbox.deliveries("whatsapp")) == seen.count(200)


def test_the_same_seed_fails_the_same_requests(client: httpx.Client, sandbox: Sandboxed) -> None:
    runs = []
    for seed in (7, 7, 8):
        sandbox.turn("whatsapp", failure_rate=0.5, seed=seed)
        runs.append(statuses(client, 20))

    assert runs[0] == runs[1] != runs[2]


def test_an_answer_may_be_lost_after_all_was_done(client: httpx.Client, sandbox: Sandboxed) -> None:
    sandbox.turn("whatsapp", lost_answer_rate=1, failure_status=502)

    first = client.post(PATH, json=TEXT, headers={"Idempotency-Key": "k"})
    sandbox.turn("whatsapp", lost_answer_rate=0)
    second = client.post(PATH, json=TEXT, headers={"Idempotency-Key": "k"})

    assert (first.status_code, second.status_code) == (502, 200)
    assert len(sandbox.deliveries("whatsapp")) == 1
    assert sandbox.counts("whatsapp")["lost_answers"] == 1


def test_in_an_outage_only_the_load_balancer_answers(client: httpx.Client, sandbox: Sandboxed) -> None:
    sandbox.turn("*", outage=True)

    answer = client.post(PATH, json=TEXT)

    assert answer.status_code == 503
    assert "text/html" in answer.headers["Content-Type"]
    assert client.get("/_counts").status_code == 200, "its own pages go on"


def test_answers_may_be_slow(client: httpx.Client, sandbox: Sandboxed) -> None:
    sandbox.turn("whatsapp", latency_ms=300, jitter=0.1)
    begun = time.monotonic()

    statuses(client, 1)

    assert time.monotonic() - begun >= 0.27


def test_knobs_are_shown_changed_one_by_one_and_put_back(client: httpx.Client) -> None:
    before = client.get("/_knobs").json()
    client.put("/_knobs", json={"whatsapp": {"latency_ms": 5}})
    changed = client.put("/_knobs", json={"whatsapp": {"outage": True}}).json()

    assert changed["whatsapp"] == {**before["whatsapp"], "latency_ms": 5, "outage": True}
    assert client.delete("/_knobs").json() == before


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"pigeons": {}}, "There is no service 'pigeons': there are "),
        ({"whatsapp": {"failure_rate": 2}}, "The knob failure_rate of whatsapp is wrong: "),
        ({"mail": {"outage": True}, "whatsapp": {"speed": 1}}, "The knob speed of whatsapp is wrong: "),
    ],
)
def test_a_wrong_knob_is_told_in_a_sentence_and_none_is_turned(
    client: httpx.Client, change: dict[str, object], sentence: str
) -> None:
    before = client.get("/_knobs").json()

    answer = client.put("/_knobs", json=change)

    assert answer.status_code == 400
    assert answer.json()["message"].startswith(sentence)
    assert client.get("/_knobs").json() == before
