"""The outbound runner's addresses, with a real worker and the sandbox behind them."""

import logging
import os
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text

from callboard.core.settings import Settings, load_settings
from callboard.storage.engine import make_engine
from helpers.fleet import fleet
from helpers.outgoing import add_messages
from helpers.sandboxed import Sandboxed, sandboxed
from helpers.serving import serving
from helpers.waiting import wait_for

JOB = "run-outbound-jobs"
TOKENS = {"callboard_api_token": "an-admins", "cron_secret": "a-crons", "job_runner_token": "a-runners"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandboxed]:
    with sandboxed() as running:
        yield running


@pytest.fixture(scope="module")
def board(
    servers: Any, module_database_url: str, redis_database: int, tmp_path_factory: Any, sandbox: Sandboxed
) -> Iterator[Settings]:
    environment = {
        "DATABASE_URL": module_database_url,
        "REDIS_URL": servers.redis_url.replace("db=0", f"db={redis_database}"),
        "CALLBOARD_NAMESPACE": f"outbound{redis_database}",
        "CALLBOARD_HOME": str(tmp_path_factory.mktemp("home")),
    }
    settings = load_settings(environment).model_copy(
        update={name: SecretStr(token) for name, token in TOKENS.items()}
    )
    with fleet(
        settings,
        "callboard.actors.business",
        threads=2,
        environment=os.environ | environment | sandbox.environ,
    ):
        yield settings


@pytest.fixture(scope="module")
def url(board: Settings) -> Iterator[str]:
    with serving(board) as address:
        yield address


@pytest.fixture
def database(board: Settings, sandbox: Sandboxed) -> Iterator[Engine]:
    sandbox.reset()
    engine = make_engine(board.database_url)
    yield engine
    with engine.begin() as connection:
        connection.execute(text('DELETE FROM "OutboundJob"'))
    engine.dispose()


def ask(url: str, path: str, token: str | None = "an-admins", method: str = "GET", **more: Any) -> Any:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.request(
        method, f"{url}{path}", headers=headers | more.pop("headers", {}), timeout=60, **more
    )


def test_nothing_to_send_answers_exactly_as_the_contract_says(url: str, database: Engine) -> None:
    for method in ("GET", "POST"):
        answer = ask(url, "/api/jobs/run-outbound?token=a-runners&max=10", None, method)

        assert answer.status_code == 200
        assert answer.json() == {
            "ok": True,
            "processed": 0,
            "failed": 0,
            "jobIds": {"processed": [], "failed": []},
        }


def test_messages_are_sent_and_named_by_their_ids_and_no_more_than_were_asked_for(
    url: str, database: Engine, sandbox: Sandboxed
) -> None:
    good, bad, _ = add_messages(database, {}, {"payload": {}}, {})

    answer = ask(url, "/api/jobs/run-outbound?max=2", "a-runners")

    assert answer.json() == {
        "ok": True,
        "processed": 1,
        "failed": 1,
        "jobIds": {"processed": [good], "failed": [bad]},
    }
    assert len(sandbox.deliveries("whatsapp")) == 1
    run = ask(url, answer.headers["location"]).json()
    assert (run["jobName"], run["requestedBy"]) == (JOB, "JOB_RUNNER_TOKEN")


def test_cron_is_answered_with_the_runners_result(url: str, database: Engine) -> None:
    add_messages(database, {})

    answer = ask(url, "/api/cron/run-outbound-jobs", "a-crons")

    assert answer.status_code == 200
    assert answer.json() == {
        "ok": True,
        "message": "Job runner triggered",
        "jobRunnerResult": {"ok": True, "processed": 1, "failed": 0},
    }


def test_a_header_that_anybody_can_send_opens_nothing(url: str, database: Engine) -> None:
    answer = ask(url, "/api/cron/run-outbound-jobs", None, headers={"x-vercel-cron": "1"})

    assert answer.status_code == 401
    assert answer.json()["detail"] == (
        "The header x-vercel-cron is not accepted, since anybody can send it; send the header"
        " `Authorization: Bearer <CRON_SECRET>`."
    )
    with_token = ask(url, "/api/cron/run-outbound-jobs", "a-crons", headers={"x-vercel-cron": "1"})
    assert with_token.status_code == 200


@pytest.mark.parametrize("path", ["/api/cron/run-outbound-jobs", "/api/outbound", "/api/cron/jobs"])
def test_a_token_in_the_address_is_taken_by_the_runner_only(url: str, path: str) -> None:
    assert ask(url, f"{path}?token=a-runners", None).status_code == 401


@pytest.mark.parametrize("query", ["max=0", "max=ten", "max=-1", "wait=nan"])
def test_nonsense_is_refused(url: str, query: str) -> None:
    assert ask(url, f"/api/jobs/run-outbound?{query}").status_code == 422


def test_a_run_that_fails_answers_500_with_the_reason(url: str, database: Engine, sandbox: Sandboxed) -> None:
    # Given a token that WhatsApp no longer takes
    add_messages(database, {})
    sandbox.turn("whatsapp", failure_rate=1, failure_status=401)

    answer = ask(url, "/api/cron/run-outbound-jobs", "a-crons")

    assert answer.status_code == 500
    body = answer.json()
    assert (body["ok"], body["message"], body["jobRunnerResult"]["ok"]) == (False, "Job runner failed", False)
    assert "WhatsApp refused" in body["jobRunnerResult"]["error"]
    assert ask(url, "/api/outbound").json()["queued"] == 1


def test_a_provider_that_goes_on_failing_is_spared_and_the_caller_told(
    url: str, database: Engine, sandbox: Sandboxed
) -> None:
    # Given a provider that has failed three runs of the fleet
    add_messages(database, {})
    sandbox.turn("whatsapp", failure_rate=1, failure_status=403)
    for _ in range(4):
        answer = ask(url, "/api/jobs/run-outbound")
        if answer.status_code != 500:
            break
    # Expect the next run to be skipped, with the reason, and the message to wait with all its attempts
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("The run was skipped: breaker: whatsapp is open since ")
    assert ask(url, "/api/outbound").json()["queued"] == 1
    with database.connect() as connection:
        assert connection.scalar(text('SELECT attempts FROM "OutboundJob"')) == 0
    # And to be sent once the breaker is closed
    sandbox.reset()
    assert ask(url, "/api/breakers/whatsapp/reset", method="POST").status_code == 200
    assert ask(url, "/api/jobs/run-outbound").json()["processed"] == 1


def test_while_a_run_is_under_way_a_second_one_is_told_so_and_the_wait_may_end_first(
    url: str, database: Engine, sandbox: Sandboxed
) -> None:
    add_messages(database, {})
    sandbox.turn("whatsapp", latency_ms=2_000)
    answers = []
    first = threading.Thread(target=lambda: answers.append(ask(url, "/api/jobs/run-outbound")))
    first.start()
    wait_for(lambda: ask(url, "/api/outbound").json()["running"] == 1, 30)

    second = ask(url, "/api/jobs/run-outbound")

    assert second.status_code == 200
    assert second.json() == {
        "ok": True,
        "processed": 0,
        "failed": 0,
        "note": "A run is under way already, and sends what is due.",
        "jobIds": {"processed": [], "failed": []},
    }
    first.join()
    assert answers[0].json()["processed"] == 1
    # And where the wait is over before the run is
    add_messages(database, {})
    early = ask(url, "/api/jobs/run-outbound?wait=0.2")
    assert early.status_code == 202
    assert early.json()["note"] == "The wait was over first; the run goes on."
    wait_for(lambda: ask(url, early.headers["location"]).json()["status"] == "completed", 30)


def test_a_runner_that_is_switched_off_says_so(url: str, database: Engine) -> None:
    ask(url, f"/api/admin/cron-jobs/{JOB}/toggle", method="POST", json={"enabled": False})
    try:
        assert ask(url, "/api/jobs/run-outbound").status_code == 423
    finally:
        ask(url, f"/api/admin/cron-jobs/{JOB}/toggle", method="POST", json={"enabled": True})


def test_the_queue_is_counted_by_what_is_due_and_what_has_become_of_it(url: str, database: Engine) -> None:
    add_messages(database, {}, {}, {}, {"status": "uncertain"})
    with database.begin() as connection:
        connection.execute(
            text("""
UPDATE "OutboundJob"
   SET "runAt" = CASE rank WHEN 1 THEN now() + interval '1 hour' ELSE now() - interval '90 s' END
     , status = CASE rank WHEN 2 THEN 'failed' ELSE status END
     , "completedAt" = CASE rank WHEN 2 THEN now() - interval '23 hours' END
  FROM (SELECT id AS ranked, row_number() OVER (ORDER BY id) AS rank FROM "OutboundJob") AS r
 WHERE id = ranked
""")
        )

    body = ask(url, "/api/outbound").json()

    assert 90 <= body.pop("oldestDueSeconds") < 600
    assert body == {
        "queued": 2,
        "due": 1,
        "running": 0,
        "doneLastHour": 0,
        "failedLastDay": 1,
        "uncertain": 1,
    }


def test_no_log_has_the_token_of_an_address(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        ask(url, "/api/jobs/run-outbound?token=a-runners&max=1", None)

        def ours() -> list[str]:
            found = [str(vars(record)) for record in caplog.records if record.name.startswith("callboard")]
            return found if any("/api/jobs/run-outbound" in line for line in found) else []

        # The line is written when the answer has gone out.
        lines = wait_for(ours, what="the request's line in the log")

    assert not any("a-runners" in line for line in lines)
