"""Many runs are cancelled and done again while the recorder counts what becomes of the same jobs."""

import random
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine

from callboard.control.actions.bulk_runs import start
from callboard.control.auth import local_principal
from callboard.control.context import Context
from callboard.control.reads.run_search import Wanted
from callboard.core.settings import Settings
from callboard.storage.recorder import process
from helpers.declarations import declare, job
from helpers.lives import ended, event
from helpers.many_runs import add_runs
from helpers.recorders import put, recording, wait_until_read
from helpers.rows import rows, value
from helpers.workers import Event

JOBS = tuple(f"greet-{letter}" for letter in "abcd")
#: Runs of each job that are cancelled, and that are done again; events of an entry of the stream.
CANCELLED, REPEATED, EVENTS = 250, 40, 25


@contextmanager
def fleet(settings: Settings, known: list[tuple[uuid.UUID, int, str]]) -> Iterator[None]:
    """Tells without end of known runs (id, sent at (ms), job) that they begin, and of new ones."""
    over, chance = threading.Event(), random.Random(7)
    now = int(time.time() * 1000)
    # The hours of their ends are mostly the same, the minutes are not: those are counts of different rows.
    ends = {name: now - number % 2 * 90_000 for number, name in enumerate(JOBS)}

    def tell() -> None:
        while not over.is_set():
            told: list[Event] = []
            for run_id, sent, name in chance.sample(known, EVENTS):
                told.append(event(str(run_id), name, at=sent, fet=sent, sta=ends[name]))
            for _ in range(EVENTS):
                name = chance.choice(JOBS)
                begun = event(str(uuid.uuid4()), name, at=now - 100_000, sta=ends[name])
                told.append(ended(begun, "succeeded", 5))
            put(settings, told)
            over.wait(0.05)

    thread = threading.Thread(target=tell)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)


def test_many_runs_are_dealt_with_beside_a_busy_recorder(
    surroundings: Any, settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given runs of some jobs that wait, run and have failed, and a fleet that tells of them and of others
    monkeypatch.setattr(process, "INTERVAL", 0.0)
    declare(engine, *map(job, JOBS), job("bulk-runs"))
    for number, name in enumerate(JOBS):
        add_runs(engine, CANCELLED, "pending", job=name, age=60 + number / 2_000)
        add_runs(engine, REPEATED, "failed", job=name, age=60)
    waiting = """
        SELECT run_id, extract(epoch FROM enqueued_at) * 1000, job
          FROM callboard.runs WHERE state = 'pending'"""
    known = [(row[0], int(row[1]), row[2]) for row in rows(engine, waiting)]
    with Context(settings) as context, recording(settings):
        # When those that wait and run are cancelled, and those that failed are done again, several times over
        with fleet(settings, known):
            for what, search in (("cancel", ""), ("retry", "state:failed"), ("cancel", "")):
                action = start(context, local_principal(), what, Wanted(f"job:~greet {search}")).action
                surroundings.get_actor("bulk-runs")(str(action.id), batch_size=100)
        wait_until_read(settings, 60)

    # Expect nobody to have waited for each other in a circle, and each end to be counted once
    value(engine, "SELECT pg_stat_force_next_flush()::text")
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert value(engine, deadlocks) == 0
    ends = """
        SELECT job, count(*) FILTER (WHERE state = 'succeeded'), count(*) FILTER (WHERE state = 'cancelled')
          FROM callboard.runs WHERE job LIKE 'greet-%' GROUP BY job ORDER BY job"""
    counted = """
        SELECT job, sum(succeeded), sum(cancelled) FROM callboard.rollups
         WHERE width_s = :width AND job LIKE 'greet-%' GROUP BY job ORDER BY job"""
    for width in (60, 3600, 86400):
        assert rows(engine, counted, width=width) == rows(engine, ends), width
    again = (
        "SELECT state, count(DISTINCT retry_of) FROM callboard.runs WHERE retry_of IS NOT NULL GROUP BY state"
    )
    assert rows(engine, again) == [("cancelled", len(JOBS) * REPEATED)]
    assert value(engine, "SELECT count(*) FROM callboard.bulk_actions WHERE state = 'done'") == 3
    backwards = "SELECT count(*) FROM callboard.runs WHERE state = 'cancelled' AND rank < 2147483647"
    assert value(engine, backwards) == 0
