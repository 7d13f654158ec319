"""An installation examined from outside. What a good one answers is tested on one in tests/seeds."""

import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
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


def scheduled(**differs: Any) -> Answer:
    slot = {"dueAt": ago(20), "disposition": "fired", "reason": "on time"}
    usual = {"key": "code:1", "expr": "*/30 * * * * *", "tz": "UTC", "enabled": True, "jobEnabled": True,
             "retired": False, "createdAt": ago(86_400), "last": slot}  # fmt: skip
    return body({"schedules": [usual | differs]})


def ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def good() -> list[Answer]:
    return [Answer(), NO, NO, NO, NO, scheduled(), triggered(), body(RUN), body(QUEUE)]


def found(server: Answering, settings: Settings = SETTINGS) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine_url(settings, server.url)}


def test_a_good_one_is_found_good_and_gets_the_tokens_as_headers_only(server: Answering) -> None:
    server.script = good()

    findings = found(server)

    assert {name: finding.status for name, finding in findings.items()} == {
        "Address": "ok", "Refusal": "ok", "Forgery": "ok", "Schedule": "ok", "Cron": "ok", "Runner": "ok",
        "Messages": "ok",
    }  # fmt: skip
    assert findings["Schedule"].detail.startswith(
        "*/30 * * * * * of run-outbound-jobs is on; it last fell due "
    )
    assert "sent 2 messages, 1 failed" in findings["Runner"].detail
    assert findings["Messages"].detail == (
        "3 queued, 1 running, 7 done in the last hour, 1 failed in the last day"
    )
    assert not any("a-crons" in asked.path or "a-runners" in asked.path for asked in server.asked)
    tokens = [asked.headers.get("authorization") for asked in server.asked]
    crons = "Bearer a-crons"
    assert tokens == [None] * 5 + [crons, crons, "Bearer a-runners", crons]
    forged = [("x-vercel-cron" in asked.headers) for asked in server.asked]
    assert forged == [False] * 3 + [True] * 2 + [False] * 4


@pytest.mark.parametrize(
    ("place", "answer", "name", "status", "words"),
    [
        (0, Answer(404), "Address", "fail", "/readyz answers 404"),
        (0, body({"detail": "PostgreSQL is away."}, 503), "Address", "fail", "PostgreSQL is away"),
        (1, body(RUN), "Refusal", "fail", "no token at all opens /api/jobs/run-outbound"),
        (
            4,
            triggered(),
            "Forgery",
            "fail",
            "x-vercel-cron alone opens /api/cron/run-outbound-jobs",
        ),
        (6, NO, "Cron", "fail", "refuses CRON_SECRET"),
        (6, triggered(note="A run is under way."), "Cron", "ok", "a run is under way"),
        (6, Answer(200, b"<html>"), "Cron", "fail", "answers 200"),
        (7, body({"ok": False, "error": "WhatsApp is away."}, 500), "Runner", "fail", "WhatsApp is away"),
        (7, body({}, 202), "Runner", "warn", "has not ended in 60 s"),
        (7, body({"detail": "It is switched off."}, 423), "Runner", "fail", "423: It is switched off"),
        (8, body(QUEUE | {"oldestDueSeconds": 500}), "Messages", "fail", "has been due for 500 s"),
        (8, body(QUEUE | {"failedLastDay": 99}), "Messages", "warn", "99 failed in the last day"),
        (8, body({"detail": "No."}, 403), "Messages", "fail", "refuses CRON_SECRET: No"),
        (8, body({"detail": "PostgreSQL is away."}, 503), "Messages", "fail", "503: PostgreSQL is away"),
        (5, body({"detail": "No job."}, 404), "Schedule", "fail", "there is no job run-outbound-jobs"),
        (5, NO, "Schedule", "fail", "refuses CRON_SECRET"),
        (5, body({"schedules": []}), "Schedule", "fail", "has no schedule"),
        (5, scheduled(retired=True), "Schedule", "fail", "has no schedule"),
        (
            5,
            scheduled(enabled=False),
            "Schedule",
            "fail",
            "of run-outbound-jobs is switched off",
        ),
        (5, scheduled(jobEnabled=False), "Schedule", "fail", "the job run-outbound-jobs is switched off"),
        (5, scheduled(expr="0 3 * * *", tz="Asia/Tokyo"), "Schedule", "warn", "0 3 * * * (Asia/Tokyo) of"),
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
    assert finding.advice or status == "ok"


@pytest.mark.parametrize(
    ("due", "disposition", "status", "words"),
    [
        (1_000, "fired", "fail", "nothing became of it for"),
        (20, "skipped_breaker", "warn", "did not run: the breaker whatsapp is open"),
        (20, "skipped_overlap", "ok", "it last fell due"),
    ],
)
def test_a_schedule_that_is_on_and_does_not_run_is_seen_by_its_last_slot(
    server: Answering, due: int, disposition: str, status: str, words: str
) -> None:
    server.script = good()
    reason = "the breaker whatsapp is open"
    server.script[5] = scheduled(last={"dueAt": ago(due), "disposition": disposition, "reason": reason})

    finding = found(server)["Schedule"]

    assert (finding.status, words in finding.detail) == (status, True), finding.detail


@pytest.mark.parametrize(("made", "status"), [(86_400, "fail"), (5, "ok")])
def test_a_schedule_without_a_slot_is_well_only_while_it_is_new(
    server: Answering, made: int, status: str
) -> None:
    server.script = good()
    server.script[5] = scheduled(createdAt=ago(made), last=None)

    assert found(server)["Schedule"].status == status


@pytest.mark.parametrize(("state", "status"), [("pending", "fail"), ("processing", "warn")])
def test_a_run_that_nobody_begins_is_told_from_one_that_has_much_to_do(
    server: Answering, state: str, status: str
) -> None:
    server.script = good()
    begun = Answer(202, json.dumps({"ok": True}).encode(), {"Location": "/api/runs/1"})
    server.script[6:7] = [begun, body({"state": state})]

    findings = found(server)

    assert findings["Cron"].status == status
    assert findings["Runner"].status == "ok"


def test_without_the_secrets_the_rest_is_checked_and_what_to_give_is_said(server: Answering) -> None:
    server.script = good()

    findings = found(server, Settings())

    assert findings["Refusal"].status == "ok"
    unknown = {name for name, finding in findings.items() if finding.status == "unknown"}
    assert unknown == {"Schedule", "Cron", "Runner", "Messages"}
    assert findings["Runner"].detail == "not checked: JOB_RUNNER_TOKEN is not set"
    assert findings["Runner"].advice == "Set JOB_RUNNER_TOKEN to what it is there, or CALLBOARD_API_TOKEN."
    assert len(server.asked) == 5


def test_an_administrators_token_stands_in_for_those_that_are_not_given(server: Answering) -> None:
    server.script = good()
    server.script[6] = NO

    findings = found(
        server, Settings(callboard_api_token=SecretStr("an-admins"), job_runner_token=SecretStr("a-runners"))
    )

    tokens = [asked.headers.get("authorization") for asked in server.asked[5:]]
    assert tokens == ["Bearer an-admins"] * 2 + ["Bearer a-runners", "Bearer an-admins"]
    assert findings["Cron"].detail.endswith("refuses CALLBOARD_API_TOKEN")


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
