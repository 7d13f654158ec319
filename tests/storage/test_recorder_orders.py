"""However events are cut into batches, shuffled and repeated, the tables say the same in the end."""

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.lives import (
    BASE,
    OWN,
    attempt_rows,
    connect,
    ended,
    event,
    queue_rollups,
    record,
    rollups,
    rows,
    run_row,
)
from helpers.workers import Event

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def connection(module_database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(module_database_url) as connection:
        yield connection


@st.composite
def lives(draw: st.DrawFn) -> list[Event]:
    """One run from its first attempt to its end, in the order in which a fleet would tell it."""
    run_id, job = str(uuid.uuid4()), f"job-{uuid.uuid4()}"
    about: dict[str, Any] = {"args": [1, "two"], "kw": {"three": 3}}
    if draw(st.booleans()):
        about |= {"trg": "schedule", "sch": 5, "due": BASE - 1_000, "by": "ada"}
    if draw(st.booleans()):
        about |= {"rdy": BASE + 3}
    start, told = BASE + 10, []
    retries = draw(st.integers(0, 3))
    for attempt in range(1, retries + 2):
        begun = event(run_id, job, n=attempt, sta=start, fet=start - 5, w=f"worker {attempt}", **about)
        ms = draw(st.sampled_from([0, 3, 250, 90_000]))
        if draw(st.booleans()):
            prg = {"prg": {"done": attempt, "total": 9, "note": None}} if draw(st.booleans()) else {}
            told.append(begun | prg)
        if attempt <= retries:
            error = ["ConnectionError", f"attempt {attempt}", "trace"]
            told.append(ended(begun, "pending", ms, err=error, rat=start + ms + 500))
            start += ms + 40_000
            about["rdy"] = start - 100
            continue
        kind = draw(st.sampled_from(["succeeded", "failed", "cancelled", "skipped", "turned away", "dead"]))
        if kind == "succeeded":
            told.append(ended(begun, kind, ms, res={"processed": 3}))
        elif kind in ("failed", "cancelled"):
            told.append(ended(begun, kind, ms, err=["Error", "the last", "trace"], why="because"))
        else:
            if told and told[-1]["n"] == attempt:
                told.pop()
            state = "cancelled" if kind == "turned away" else kind
            end = {key: value for key, value in begun.items() if key != "sta"}
            told.append(end | {"s": state, "fin": start + 1, "why": "no"})
    return told


def outcome(connection: psycopg.Connection[Any], life: list[Event]) -> dict[str, Any]:
    """All that the tables say of one run, without what makes it this one and no other."""
    run_id, job = life[0]["id"], life[0]["job"]
    run = run_row(connection, run_id)
    return {
        "run": {key: value for key, value in run.items() if key not in (*OWN, "job")},
        "attempts": [
            {key: value for key, value in row.items() if key not in OWN}
            for row in attempt_rows(connection, run_id)
        ],
        "rollups": [
            {key: value for key, value in row.items() if key != "job"} for row in rollups(connection, [job])
        ],
    }


def again(life: list[Event]) -> list[Event]:
    """The same life of another run."""
    run_id, job = str(uuid.uuid4()), f"job-{uuid.uuid4()}"
    executions: dict[str, str] = {}
    return [
        one | {"id": run_id, "job": job, "x": executions.setdefault(one["x"], str(uuid.uuid4()))}
        for one in life
    ]


def cut(data: st.DataObject, told: list[Event]) -> list[list[Event]]:
    """Those events in batches."""
    batches: list[list[Event]] = [[]]
    for one in told:
        if batches[-1] and data.draw(st.booleans(), label="a new batch"):
            batches.append([])
        batches[-1].append(one)
    return batches


@QUICK
@given(life=lives(), data=st.data())
def test_events_in_any_order_any_number_of_times_and_in_any_batches_come_to_the_same(
    connection: psycopg.Connection[Any], life: list[Event], data: st.DataObject
) -> None:
    # Given the life of a run, recorded event by event
    record(connection, *([one] for one in life))
    expected = outcome(connection, life)

    # When the same is told of another run, with repetitions, out of order, in batches
    other = again(life)
    told = data.draw(st.permutations(other * data.draw(st.integers(1, 2))))
    record(connection, *cut(data, told))

    # Then the tables say the same of it
    assert outcome(connection, other) == expected


@QUICK
@given(data=st.data(), announced=st.booleans(), ends=st.sampled_from(["succeeded", "failed", "pending"]))
def test_the_loss_of_a_worker_is_recorded_wherever_the_batches_are_cut(
    connection: psycopg.Connection[Any], data: st.DataObject, announced: bool, ends: str
) -> None:
    # Given a run whose first worker died, and which went on elsewhere
    def life() -> list[Event]:
        run_id, job = str(uuid.uuid4()), f"job-{uuid.uuid4()}"
        first = event(run_id, job, w="dead")
        second = event(run_id, job, w="alive", sta=BASE + 20_000)
        lost = {"k": "lost", "id": run_id, "at": BASE, "job": job, "n": 1, "w": "dead", "fin": BASE + 15_000,
                "err": ["WorkerLost", "The worker died while the job was running."]}  # fmt: skip
        error = {"err": ["E", "e", "t"], "rat": BASE + 30_000} if ends != "succeeded" else {}
        rest = [second] if announced else []
        return [first, lost, *rest, ended(second, ends, 50, **error)]

    separately, together = life(), life()
    record(connection, *([one] for one in separately))
    record(connection, *cut(data, together))

    # Then both say so: an attempt lost with its worker, and the first start as the run's start
    expected = outcome(connection, separately)
    assert outcome(connection, together) == expected
    lost = expected["attempts"][0]
    assert (lost["attempt"], lost["error_type"], lost["worker"]) == (1, "WorkerLost", "dead")
    assert expected["run"]["started_at"].timestamp() * 1000 == BASE + 10
    assert expected["run"]["reason"] is None


@settings(QUICK, max_examples=15)
@given(told=st.lists(lives(), min_size=1, max_size=6), data=st.data())
def test_rollups_made_anew_from_the_runs_equal_those_that_the_recorder_added_up(
    module_database_url: str, told: list[list[Event]], data: st.DataObject
) -> None:
    # Given any lives of runs, recorded in any batches
    with connect(module_database_url) as connection:
        with connection.transaction():
            connection.execute(
                "TRUNCATE callboard.runs, callboard.attempts, callboard.rollups, callboard.queue_rollups"
            )
        record(connection, *cut(data, [one for life in told for one in life]))
        counted, of_queues = rollups(connection), queue_rollups(connection)

        # When they are counted again
        rows(
            connection,
            "SELECT callboard.rebuild_rollups(to_timestamp(%s), to_timestamp(%s))",
            BASE / 1000 - 86_400,
            BASE / 1000 + 2 * 86_400,
        )

        # Then it is the same
        assert (rollups(connection), queue_rollups(connection)) == (counted, of_queues)
