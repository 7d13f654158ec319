"""A worker is killed between sending and marking, time and again: nothing is lost, nothing sent twice.

Where the provider knows no keys, as the real WhatsApp, a few are set apart: no more than may be out unmarked.
"""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dramatiq import Message
from sqlalchemy import Engine, text

from callboard.actors.sending import UNMARKED
from callboard.core.settings import Settings
from callboard.middleware.broker import Broker
from callboard.storage.business import outbound
from helpers.outgoing import add_letters, fill, letters, messages
from helpers.sandboxed import Sandboxed, sandboxed
from helpers.waiting import wait_for
from helpers.worker_fleet import Fleet, worker_fleet

KILLS = 4
MESSAGES = 600
LETTERS = 400


@pytest.fixture
def sandbox() -> Iterator[Sandboxed]:
    with sandboxed() as running:
        yield running


@pytest.fixture
def workers(
    settings: Settings, sandbox: Sandboxed, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Fleet]:
    # One that takes others for dead after two seconds, and has a short lease for the mutex.
    with worker_fleet(
        settings,
        tmp_path,
        actors="callboard.actors.business",
        environment=os.environ | sandbox.environ | getattr(request, "param", lambda _: {})(sandbox),
        processes=1,
        threads=2,
        heartbeat_timeout=2_000,
        round=0.2,
        lease=1_000,
    ) as fleet:
        yield fleet


def as_meta(sandbox: Sandboxed) -> dict[str, str]:
    """Settings that put the sandbox in the place of the real WhatsApp."""
    return {
        "WHATSAPP_URL": f"{sandbox.url}/whatsapp/v23.0",
        "WHATSAPP_TOKEN": sandbox.token,
        "WHATSAPP_PHONE_NUMBER_ID": "100000000000001",
    }


def killed_while_it_sends(
    workers: Fleet, sandbox: Sandboxed, service: str, send: Any, *, kills: int = KILLS
) -> None:
    """Kill the worker when it is in the midst of sending, as often as said; then let it finish."""
    for _ in range(kills):
        (pid,) = workers.wait_for_workers(1)
        before = sandbox.counts(service).get("deliveries", 0)
        send()
        wait_for(lambda before=before: sandbox.counts(service).get("deliveries", 0) > before + 5, 60, "mail")
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda pid=pid: pid not in workers.alive(), 20, "its end")
    workers.wait_for_workers(1)
    send()


def finish(send: Callable[[], object], done: Callable[[], bool]) -> None:
    """Ask for runs, as the schedule does, until all is done."""
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline, "it was not done in a minute"
        time.sleep(1.0)
        send()


def message(actor: str) -> Any:
    return Message("default", actor, (), {}, {})


def test_every_message_goes_out_once_though_its_worker_is_killed_again_and_again(
    workers: Fleet, sandbox: Sandboxed, broker: Broker, engine: Engine
) -> None:
    fill(engine, MESSAGES)
    # Slow enough to be killed in the midst of a batch, whose messages are marked together.
    sandbox.turn("whatsapp", latency_ms=40)

    def send() -> None:
        broker.enqueue(message("run-outbound-jobs"))

    killed_while_it_sends(workers, sandbox, "whatsapp", send)
    sandbox.turn("whatsapp", latency_ms=0)

    finish(send, lambda: {row.status for row in messages(engine)} == {"done"})
    keys = Counter(each["key"] for each in sandbox.deliveries("whatsapp"))
    assert len(keys) == MESSAGES
    assert set(keys.values()) == {1}
    # The worker was killed between sending and marking indeed: what it had sent was sent again, by its key.
    assert 0 < sandbox.counts("whatsapp")["repeats"] <= KILLS * UNMARKED
    assert sandbox.counts("whatsapp")["deliveries"] == MESSAGES
    assert {row.attempts for row in messages(engine)} == {1}


@pytest.mark.parametrize("workers", [as_meta], ids=["meta"], indirect=True)
def test_a_provider_without_keys_delivers_none_twice_though_its_worker_is_killed(
    workers: Fleet, sandbox: Sandboxed, broker: Broker, engine: Engine
) -> None:
    fill(engine, MESSAGES)
    sandbox.turn("whatsapp", latency_ms=40, hears_keys=False)

    def send() -> None:
        broker.enqueue(message("run-outbound-jobs"))

    killed_while_it_sends(workers, sandbox, "whatsapp", send, kills=2)
    sandbox.turn("whatsapp", latency_ms=0)

    finish(send, lambda: {row.status for row in messages(engine)} <= {"done", "uncertain"})
    states = Counter(row.status for row in messages(engine))
    keys = Counter(each["key"] for each in sandbox.deliveries("whatsapp"))
    assert set(keys.values()) == {1}
    assert 0 < states["uncertain"] <= 2 * UNMARKED
    assert {row.idempotencyKey for row in messages(engine) if row.status == "done"} <= keys.keys()
    # The worker was killed between sending and marking indeed.
    assert states["done"] < len(keys)


def test_every_letter_is_shown_once_though_its_worker_is_killed_again_and_again(
    workers: Fleet, sandbox: Sandboxed, broker: Broker, engine: Engine
) -> None:
    add_letters(engine, *[{}] * LETTERS)

    def send() -> None:
        broker.enqueue(message("process-email-queue"))

    killed_while_it_sends(workers, sandbox, "mail", send)

    finish(send, lambda: {row.status for row in letters(engine)} == {"sent"})
    shown = Counter(each["id"] for each in sandbox.deliveries("mail"))
    assert shown == Counter(row.message_id for row in letters(engine))
    assert sandbox.counts("mail")["deliveries"] == LETTERS
    assert {row.attempts for row in letters(engine)} == {1}


def test_a_worker_that_is_asked_to_end_marks_what_it_has_sent(
    workers: Fleet, sandbox: Sandboxed, broker: Broker, engine: Engine
) -> None:
    fill(engine, MESSAGES)
    sandbox.turn("whatsapp", latency_ms=40)
    workers.wait_for_workers(1)
    broker.enqueue(message("run-outbound-jobs"))
    wait_for(lambda: sandbox.counts("whatsapp").get("deliveries", 0) > 50, 60)

    workers.terminate()

    states = Counter(row.status for row in messages(engine))
    assert states == {"done": sandbox.counts("whatsapp")["deliveries"], "queued": states["queued"]}
    assert states["queued"] > 0
    assert {row.attempts for row in messages(engine) if row.status == "queued"} == {0}
    assert "repeats" not in sandbox.counts("whatsapp")


def test_what_is_left_when_a_worker_dies_is_still_claimed(engine: Engine) -> None:
    """What the tests above rest on: a claim outlives its worker until another run gives it back."""
    fill(engine, 1)
    with engine.begin() as connection:
        assert len(outbound.claim(connection, 10)) == 1
    with engine.begin() as connection:
        assert outbound.claim(connection, 10) == []
        assert outbound.give_back(connection, 0.0) == 1
        assert len(outbound.claim(connection, 10)) == 1
    with engine.connect() as connection:
        assert connection.scalar(text('SELECT status FROM "OutboundJob"')) == "running"
