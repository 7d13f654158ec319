"""Runs that cannot be interrupted, and the threads that are lost to them."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest

from callboard.core.settings import Settings
from callboard.middleware import keeper, stuck
from callboard.middleware.broker import Broker
from callboard.storage.vitals import stuck_workers
from helpers.waiting import wait_for
from helpers.workers import events, final_event, linger, working


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stuck, "PATIENCE", 0.3)
    monkeypatch.setattr(keeper, "ROUND", 0.1)


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Lets those go that nothing else does."""
    event = threading.Event()
    yield event
    event.set()


def lines(broker: Broker, message: dramatiq.Message[Any]) -> list[tuple[str, str]]:
    """What has been recorded of what a run said."""
    return [
        (level, text)
        for event in events(broker)
        if event["id" if "id" in event else "k"] == message.message_id
        for _, level, text in event.get("logs", ())
    ]


def test_a_run_past_its_limit_that_cannot_be_interrupted_is_told_of_while_it_goes_on(
    broker: Broker, release: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    # Given a job in a call that no interrupt reaches
    @dramatiq.actor(max_retries=0, time_limit=200)
    def block() -> None:
        release.wait(30)

    message = block.send()
    with working(broker, threads=2):
        # Then its log says so, and what to do
        wait_for(lambda: lines(broker, message), what="a word about it")
        assert lines(broker, message) == [("warning", stuck.PAST_ITS_LIMIT)]
        assert 'use isolation="process"' in stuck.PAST_ITS_LIMIT
        assert [record for record in caplog.records if record.getMessage() == stuck.PAST_ITS_LIMIT]

        # and the worker says that it has lost a thread
        found = wait_for(lambda: stuck_workers(broker.client, broker.keys), what="the lost thread")
        assert found[broker.broker_id]["stuck"] == 1
        assert found[broker.broker_id]["threads"] == 2

        # until it has it back
        release.set()
        assert final_event(broker, message)["err"][0] == "TimeLimitExceeded"
        wait_for(lambda: not stuck_workers(broker.client, broker.keys), what="the thread")
    assert len(lines(broker, message)) == 1


def test_so_is_one_that_somebody_has_ended(broker: Broker, release: threading.Event) -> None:
    started = threading.Event()

    @dramatiq.actor(max_retries=0)
    def block() -> None:
        started.set()
        release.wait(30)

    message = block.send()
    with working(broker):
        started.wait(10)
        broker.client.hset(broker.keys.ended, message.message_id, json.dumps({"at": time.time() * 1000}))
        broker.client.publish(broker.keys.signals, "end")
        wait_for(lambda: lines(broker, message), what="a word about it")
        assert "ordered to end and cannot be interrupted" in lines(broker, message)[0][1]
        release.set()
        assert final_event(broker, message)["s"] == "cancelled"


def test_one_that_ends_in_time_is_not(broker: Broker) -> None:
    @dramatiq.actor(max_retries=0, time_limit=100)
    def work() -> None:
        linger(30)

    message = work.send()
    with working(broker):
        final_event(broker, message)
        time.sleep(0.5)
        assert stuck_workers(broker.client, broker.keys) == {}
    assert lines(broker, message) == []


def test_the_doctor_and_the_health_check_say_so(
    settings: Settings, broker: Broker, release: threading.Event
) -> None:
    from callboard.actors.probes import probe_workers
    from callboard.control.checkup import parts
    from callboard.control.context import Context

    @dramatiq.actor(max_retries=0, time_limit=100)
    def block() -> None:
        release.wait(30)

    block.send()
    with working(broker, threads=2), Context(settings) as context:
        assert wait_for(lambda: parts.workers(context).status == "ok", what="a worker")
        wait_for(lambda: stuck_workers(broker.client, broker.keys), what="the lost thread")
        finding = parts.workers(context)
        assert finding.status == "warn"
        assert "; 1 of 2 threads of process " in finding.detail
        assert 'isolation="process"' in (finding.advice or "")
        probed = probe_workers(broker.client, broker.keys, timeout_ms=15_000)
        assert (probed.status, probed.value) == ("degraded", 1)
        assert probed.detail.startswith("1 thread is lost to runs past their limit: process ")
        release.set()
