"""What the sandbox shows of itself."""

import httpx

from callboard.sandbox.state import Shelf, State
from helpers.sandboxed import Sandboxed

PATH = "/whatsapp/v23.0/1/messages"
TEXT = {"messaging_product": "whatsapp", "to": "+33612345678", "type": "text", "text": {"body": "Hello"}}


def test_the_page_says_what_is_served_and_how_often(client: httpx.Client) -> None:
    client.post(PATH, json=TEXT)

    page = client.get("/", headers={"Authorization": ""})

    assert page.status_code == 200
    assert '<td>whatsapp</td><td class="n">1</td><td class="n">0</td>' in page.text
    assert "<td>mail</td>" in page.text


def test_figures_requests_and_deliveries_can_be_asked_for(client: httpx.Client) -> None:
    client.post(PATH, json=TEXT, headers={"Idempotency-Key": "k1"})
    client.post(PATH, json={}, headers={"Idempotency-Key": "k2"})

    figures = client.get("/_counts").json()["whatsapp"]
    assert figures == {"requests": 2, "status_200": 1, "status_400": 1, "deliveries": 1}
    log = client.get("/_log").json()
    assert [(each["path"], each["status"], each["key"]) for each in log] == [
        (PATH, 400, "k2"),
        (PATH, 200, "k1"),
    ]
    assert len(client.get("/_log", params={"limit": 1}).json()) == 1
    (delivered,) = client.get("/_deliveries/whatsapp").json()
    assert (delivered["to"], delivered["text"], delivered["key"]) == ("+33612345678", "Hello", "k1")


def test_a_reset_forgets_everything(client: httpx.Client, sandbox: Sandboxed) -> None:
    sandbox.turn("whatsapp", latency_ms=1)
    client.post(PATH, json=TEXT, headers={"Idempotency-Key": "k"})

    assert client.post("/_reset").status_code == 204

    assert client.get("/_counts").json() == {}
    assert client.get("/_log").json() == []
    assert client.get("/_knobs").json()["whatsapp"]["latency_ms"] == 0
    client.post(PATH, json=TEXT, headers={"Idempotency-Key": "k"})
    assert len(sandbox.deliveries("whatsapp")) == 1


def test_a_path_of_no_service_is_not_found(client: httpx.Client) -> None:
    answer = client.get("/pigeons/1")

    assert answer.status_code == 404
    assert answer.json() == {"error": "not_found", "message": "There is nothing of that name."}


def test_nothing_grows_for_ever() -> None:
    shelf = Shelf(kept=3)
    for number in range(5):
        shelf.put(str(number), number)

    assert (len(shelf), shelf.latest(9)) == (3, [4, 3, 2])
    assert shelf.get("0") is None
    assert State().log.maxlen


def test_what_is_under_a_key_is_made_once() -> None:
    shelf = Shelf()

    assert shelf.once("a", lambda: "made") == ("made", False)
    assert shelf.once("a", lambda: "made again") == ("made", True)
