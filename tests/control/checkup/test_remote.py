"""An installation examined from outside. What a good one answers is tested on one in tests/seeds."""

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from callboard.control.checkup import Finding, examine_url
from callboard.core.errors import BadInput
from callboard.core.settings import Settings
from helpers.answering import Answer, Answering, answering

SETTINGS = Settings(cron_secret=SecretStr("a-crons"), job_runner_token=SecretStr("a-runners"))
NO = Answer(401, b'{"detail": "No."}')
RUN = {"ok": True, "processed": 2, "failed": 1, "jobIds": {"processed": [1, 2], "failed": [3]}}
QUEUE = {"queued": 3, "due": 0, "oldestDueSeconds": None, "running": 1, "doneLastHour": 7, "failedLastDay": 1}


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as service:
        yield service


def body(value: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode())


def triggered(**result: Any) -> Answer:
    return body({"ok": True, "message": "Job runner triggered", "jobRunnerResult": RUN | result})


def good() -> list[Answer]:
    return [Answer(), NO, NO, NO, NO, triggered(), body(RUN), body(QUEUE)]


def found(server: Answering, settings: Settings = SETTINGS) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine_url(settings, server.url)}


def test_a_good_one_is_found_good_and_gets_the_tokens_as_headers_only(server: Answering) -> None:
    server.script = good()

    findings = found(server)

    assert {name: finding.status for name, finding in findings.items()} == {
        "Address": "ok", "Refusal": "ok", "Forgery": "ok", "Cron": "ok", "Runner": "ok", "Messages": "ok"
    }  # fmt: skip
    assert "sent 2 messages, 1 failed" in findings["Runner"].detail
    assert findings["Messages"].detail == (
        "3 queued, 1 running, 7 done in the last hour, 1 failed in the last day"
    )
    assert not any("a-crons" in asked.path or "a-runners" in asked.path for asked in server.asked)
    tokens = [asked.headers.get("authorization") for asked in server.asked]
    assert tokens == [None] * 5 + ["Bearer a-crons", "Bearer a-runners", "Bearer a-crons"]
    assert [("x-vercel-cron" in asked.headers) for asked in server.asked] == [False] * 3 + [True] * 2 + [
        False
    ] * 3


@pytest.mark.parametrize(
    ("place", "answer", "name", "status", "words"),
    [
        (0, Answer(404), "Address", "fail", "/readyz answers 404"),
        (0, body({"detail": "PostgreSQL is away."}, 503), "Address", "fail", "PostgreSQL is away"),
        (1, body(RUN), "Refusal", "fail", "/api/jobs/run-outbound let nobody's calls in without a token"),
        (4, triggered(), "Forgery", "fail", "let the header x-vercel-cron in"),
        (5, NO, "Cron", "fail", "refuses CRON_SECRET"),
        (5, triggered(note="A run is under way."), "Cron", "ok", "a run is under way"),
        (5, Answer(200, b"<html>"), "Cron", "fail", "answers 200"),
        (6, body({"ok": False, "error": "WhatsApp is away."}, 500), "Runner", "fail", "WhatsApp is away"),
        (6, body({}, 202), "Runner", "ok", "goes on"),
        (6, body({"detail": "It is switched off."}, 423), "Runner", "fail", "423: It is switched off"),
        (7, body(QUEUE | {"oldestDueSeconds": 500}), "Messages", "fail", "has been due for 500 s"),
        (7, body(QUEUE | {"failedLastDay": 99}), "Messages", "warn", "99 failed in the last day"),
        (7, body({"detail": "No."}, 403), "Messages", "fail", "403: No"),
    ],
)
def test_what_is_wrong_is_named_with_what_to_do(
    server: Answering, place: int, answer: Answer, name: str, status: str, words: str
) -> None:
    server.script = good()
    server.script[place] = answer

    finding = found(server)[name]

    assert finding.status == status
    assert words in finding.detail
    assert "a-crons" not in finding.detail
    assert finding.advice or status == "ok" or place == 7


def test_without_the_secrets_the_rest_is_checked_and_the_gap_is_named(server: Answering) -> None:
    server.script = good()

    findings = found(server, Settings())

    assert findings["Refusal"].status == "ok"
    assert (findings["Cron"].status, findings["Runner"].status) == ("warn", "warn")
    assert "JOB_RUNNER_TOKEN is not set" in findings["Runner"].detail
    assert len(server.asked) == 5


def test_where_nobody_answers_that_is_all_there_is_to_say() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    (finding,) = examine_url(SETTINGS, f"http://127.0.0.1:{port}")

    assert (finding.name, finding.status) == ("Address", "fail")
    assert finding.detail.startswith("no answer")


def test_a_server_without_tls_is_told_from_one_that_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            client.close()

        threading.Thread(target=serve, daemon=True).start()
        (finding,) = examine_url(SETTINGS, f"https://127.0.0.1:{listener.getsockname()[1]}")

    assert (finding.name, finding.status) == ("Address", "fail")
    assert "SSL" in finding.detail or "no TLS" in finding.detail


@pytest.mark.parametrize("url", ["ftp://example.org", "", "https://", "http://[", "http://example.org:99999"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="is no address of a server"):
        list(examine_url(SETTINGS, url))
