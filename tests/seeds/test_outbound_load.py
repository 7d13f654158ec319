"""A backlog of 100,000 messages drains: none is lost, none goes out twice."""

import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dramatiq import Message
from sqlalchemy import Engine, text

from callboard.core.settings import Settings
from callboard.middleware.broker import Broker
from helpers.outgoing import fill
from helpers.sandboxed import Sandboxed, sandboxed
from helpers.worker_fleet import worker_fleet

#: A smaller backlog for whoever has less time.
MESSAGES = int(os.environ.get("OUTBOUND_LOAD", "100000"))


@pytest.fixture
def sandbox() -> Iterator[Sandboxed]:
    with sandboxed() as running:
        yield running


@pytest.mark.long
@pytest.mark.timeout(1_200)
def test_a_hundred_thousand_messages_drain_with_none_lost_and_none_twice(
    settings: Settings, sandbox: Sandboxed, broker: Broker, engine: Engine, tmp_path: Path
) -> None:
    fill(engine, MESSAGES)
    # As on a middling day: some fail, of some the answer is lost, and a thousand a second is the most.
    sandbox.turn("whatsapp", failure_rate=0.01, lost_answer_rate=0.005, seed=7)
    begun = time.monotonic()
    with worker_fleet(
        settings,
        tmp_path,
        actors="callboard.actors.business",
        environment=os.environ | sandbox.environ,
        processes=1,
        threads=2,
    ) as workers:
        workers.wait_for_workers(1)
        while (left := _left(engine)) > 0:
            assert time.monotonic() < begun + 1_000, f"{left} messages are left"
            # As the schedule does; while a run is under way, another one is skipped.
            message: Any = Message("default", "run-outbound-jobs", (), {}, {})
            broker.enqueue(message)
            time.sleep(2.0)
    took = time.monotonic() - begun
    print(f"{MESSAGES} messages in {took:.0f} s: {MESSAGES / took:.0f} a second")

    with engine.connect() as connection:
        states = dict(
            connection.execute(text('SELECT status, count(*) FROM "OutboundJob" GROUP BY status')).all()
        )
    assert states == {"done": MESSAGES}
    keys = Counter(each["key"] for each in sandbox.deliveries("whatsapp"))
    assert len(keys) == MESSAGES
    assert set(keys.values()) == {1}
    assert sandbox.counts("whatsapp")["deliveries"] == MESSAGES
    assert sandbox.counts("whatsapp")["lost_answers"] > 0
    # Two cores for everything, the sandbox among it.
    assert MESSAGES / took > 100


def _left(engine: Engine) -> int:
    with engine.connect() as connection:
        left: int = connection.execute(
            text("""SELECT count(*) FROM "OutboundJob" WHERE status IN ('queued', 'running')""")
        ).scalar_one()
        return left
