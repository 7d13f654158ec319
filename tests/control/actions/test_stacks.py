"""An operator asks where a run is."""

import threading
import time

import pytest

from callboard.control.actions import stacks
from callboard.control.actions.run_job import run_job
from callboard.control.actions.stacks import stack
from callboard.control.reads.runs import run as read_run
from callboard.core.errors import Conflict, NotAllowed, NotFound
from helpers.declarations import audit, declare, job
from helpers.recorders import recording
from helpers.waiting import wait_for
from helpers.workers import declare as declare_actor
from helpers.workers import working


@pytest.fixture
def waiting(context, engine, broker, operator):
    """A run that waits in its queue, and what lets it end once it has begun."""
    release = threading.Event()

    def work():
        release.wait(20)

    declare(engine, job("work"))
    declare_actor(broker, work, actor_name="work", max_retries=0)
    yield run_job(context, operator, "work").run_id, release
    release.set()


@pytest.mark.alone
def test_the_stack_of_a_run_comes_within_a_second_and_leaves_a_row(
    context, broker, engine, operator, settings, waiting
):
    run_id, release = waiting
    with recording(settings), working(broker):
        wait_for(lambda: read_run(context, run_id).run.state == "processing")
        asked = time.monotonic()
        found = stack(context, operator, run_id)
        assert time.monotonic() - asked < 1
        release.set()

    assert (found.job, found.worker, found.isolated) == ("work", broker.broker_id, False)
    assert [each.function.rpartition(".")[2] for each in found.frames][:2] == ["work", "wait"]
    assert f'File "{__file__}", line ' in found.text
    row = audit(engine)[-1]
    assert (row["who"], row["action"], row["target"]) == ("otto", "inspect_run", str(run_id))
    assert row["after"] == {"worker": broker.broker_id, "frames": len(found.frames)}


def test_a_viewer_may_not_ask(context, engine, viewer, waiting):
    with pytest.raises(NotAllowed, match="workers:inspect"):
        stack(context, viewer, waiting[0])
    assert audit(engine)[-1]["outcome"] == "refused"


def test_what_is_not_executed_is_nowhere(context, engine, operator, waiting, monkeypatch):
    monkeypatch.setattr(stacks, "PATIENCE_S", 0.2)
    with pytest.raises(Conflict, match="it waits"):
        stack(context, operator, waiting[0])
    with pytest.raises(NotFound):
        stack(context, operator, "0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d")
    assert [row["outcome"] for row in audit(engine)[-2:]] == ["refused", "refused"]
