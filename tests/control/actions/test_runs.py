"""Runs are cancelled and tried again, whatever they are at."""

import time
from uuid import uuid4

import psycopg
import pytest

from callboard.control.actions.pauses import pause, resume
from callboard.control.actions.run_job import run_job
from callboard.control.actions.runs import cancel, retry
from callboard.control.reads.runs import run as read_run
from callboard.core.backoff import fixed
from callboard.core.errors import Conflict, Disabled, NotAllowed, NotFound
from callboard.storage.letters import requeued_id
from helpers.declarations import audit, declare, job
from helpers.recorders import recording
from helpers.waiting import wait_for
from helpers.workers import Calls, linger, working
from helpers.workers import declare as declare_actor


@pytest.fixture
def known(engine):
    what = {"name": "what", "kind": "positional_or_keyword", "type": "str", "required": False}
    declare(engine, job("work", signature=[what]))


def state(context, run_id):
    """The state of a run; None where nobody knows it yet."""
    try:
        return read_run(context, run_id).run.state
    except NotFound:
        return None


def test_a_run_that_waits_in_its_queue_never_starts(context, broker, known, operator, settings):
    # Given a run that an operator has asked for, and one that code has sent
    ran = Calls()
    declare_actor(broker, ran.note, actor_name="work", max_retries=0)
    asked = run_job(context, operator, "work").run_id
    sent = broker.get_actor("work").send().message_id

    # When both are cancelled before a worker comes
    for run_id in (asked, sent):
        done = cancel(context, operator, run_id, reason="by mistake")
        assert (str(done.run_id), done.job, done.was) == (str(run_id), "work", "pending")

    # Then they are cancelled at once, and no worker begins them
    for run_id in (asked, sent):
        detail = read_run(context, run_id).run
        assert (detail.state, detail.reason) == ("cancelled", "cancelled by otto: by mistake")
    with recording(settings), working(broker):
        last = broker.get_actor("work").send("last").message_id
        wait_for(lambda: state(context, last) == "succeeded")
    assert ran.made == ["last"]
    assert [state(context, run_id) for run_id in (asked, sent)] == ["cancelled"] * 2


@pytest.mark.parametrize(
    "given", ["a\0b", "x" * 200_000, float("nan"), "\ud800"], ids=["NUL", "long", "NaN", "half"]
)
def test_a_run_that_only_redis_knows_is_cancelled_whatever_its_arguments(
    context, broker, known, operator, given
):
    ran = Calls()
    declare_actor(broker, ran.note, actor_name="work", max_retries=0)
    message = broker.get_actor("work").send(given)
    cancel(context, operator, message.message_id)
    assert state(context, message.message_id) == "cancelled"
    assert len(str(read_run(context, message.message_id).args)) < 1_000


def test_a_run_that_waits_for_a_later_time_never_starts(context, broker, known, operator):
    ran = Calls()
    declare_actor(broker, ran.note, actor_name="work", max_retries=0)
    message = broker.get_actor("work").send_with_options(delay=2_000)
    with working(broker):
        time.sleep(0.2)
        cancel(context, operator, message.message_id)
        time.sleep(2.5)
    assert ran.made == []


def test_a_run_that_waits_behind_a_pause_never_starts(context, broker, known, operator):
    ran = Calls()
    declare_actor(broker, ran.note, actor_name="work", max_retries=0)
    pause(context, operator, "job", "work", reason="maintenance")
    with working(broker):
        message = broker.get_actor("work").send("first")
        broker.get_actor("work").send("second")
        wait_for(lambda: broker.client.llen(broker.keys.lot("pause|job:work")) == 2)
        cancel(context, operator, message.message_id)
        resume(context, operator, "job", "work")
        ran.wait_for(1)
        time.sleep(0.2)
    assert ran.made == ["second"]


@pytest.mark.alone
def test_a_run_under_way_is_interrupted_within_a_second_and_not_tried_again(
    context, broker, known, operator, settings
):
    started, ended = Calls(), Calls()

    def work():
        started.note()
        try:
            linger(20)
        finally:
            ended.note(time.monotonic())

    declare_actor(broker, work, max_retries=5, backoff=fixed(1))
    with recording(settings), working(broker):
        message = broker.get_actor("work").send()
        wait_for(lambda: state(context, message.message_id) == "processing")
        begun = time.monotonic()
        assert cancel(context, operator, message.message_id).was == "processing"
        assert ended.wait_for(1)[0] - begun < 1
        time.sleep(0.3)
        detail = read_run(context, message.message_id)
    assert (detail.run.state, detail.run.reason) == ("cancelled", "cancelled by otto")
    assert [(each.attempt, each.state) for each in detail.attempts] == [(1, "cancelled")]
    assert len(started.made) == 1


def test_a_retry_that_is_awaited_goes_at_once_and_once(context, broker, known, operator, settings):
    # Given a run that waits an hour for its next attempt
    attempts = Calls()

    def work():
        if attempts.note() == 1:
            raise ConnectionError

    declare_actor(broker, work, max_retries=1, backoff=fixed(3_600_000))
    with recording(settings), working(broker):
        message = broker.get_actor("work").send()
        wait_for(lambda: state(context, message.message_id) == "pending")

        # When it is to be tried now, then it is, as its second attempt
        done = retry(context, operator, message.message_id)
        assert str(done.run_id) == str(done.of) == message.message_id
        wait_for(lambda: state(context, message.message_id) == "succeeded")
        time.sleep(0.3)
        assert len(attempts.made) == 2
        assert [each.attempt for each in read_run(context, message.message_id).attempts] == [1, 2]
        assert broker.client.hlen(broker.keys.messages("default.DQ")) == 0


def test_a_failed_run_is_done_again_as_a_new_one_that_names_it(context, broker, known, operator, settings):
    attempts = Calls()

    def work(number):
        if attempts.note(number) == 1:
            raise ValueError("no")

    declare_actor(broker, work, max_retries=0)
    with recording(settings), working(broker):
        message = broker.get_actor("work").send(7)
        wait_for(lambda: state(context, message.message_id) == "failed")
        done = retry(context, operator, message.message_id)
        assert done.run_id == requeued_id(done.of)
        wait_for(lambda: state(context, done.run_id) == "succeeded")
        assert attempts.made == [7, 7]
        old, new = read_run(context, done.of), read_run(context, done.run_id)
        assert (old.run.state, old.retried_as) == ("failed", done.run_id)
        assert (new.run.retry_of, new.run.requested_by) == (done.of, "otto")
        assert broker.client.zcard(broker.keys.dead("default")) == 0

        # And a second click does it no second time
        with pytest.raises(Conflict, match="has been done again already"):
            retry(context, operator, done.of)
    assert len(attempts.made) == 2


def test_a_cancelled_run_is_done_again_from_its_arguments(context, broker, known, operator, settings):
    ran = Calls()
    declare_actor(broker, ran.note, actor_name="work", max_retries=0)
    asked = run_job(context, operator, "work", kwargs={"what": "it"}).run_id
    cancel(context, operator, asked)
    done = retry(context, operator, asked)
    with recording(settings), working(broker):
        wait_for(lambda: state(context, done.run_id) == "succeeded")
    assert ran.made == ["it"]
    assert audit(context.writer)[-1]["after"] == {"run_id": str(done.run_id)}


def test_what_cannot_be_tried_again_is_refused_with_the_reason(context, broker, known, operator, settings):
    def work():
        linger(0.6)

    declare_actor(broker, work, max_retries=0)
    asked = run_job(context, operator, "work").run_id
    with pytest.raises(Conflict, match="waits in its queue"):
        retry(context, operator, asked)
    with recording(settings), working(broker):
        wait_for(lambda: state(context, asked) == "processing")
        with pytest.raises(Conflict, match="is running"):
            retry(context, operator, asked)
        wait_for(lambda: state(context, asked) == "succeeded")
    with pytest.raises(Conflict, match="has succeeded"):
        retry(context, operator, asked)
    with pytest.raises(Conflict, match="has ended already"):
        cancel(context, operator, asked)


def test_a_job_that_is_switched_off_is_not_tried_again(context, engine, operator):
    from callboard.control.actions.switches import set_enabled

    declare(engine, job("work"))
    asked = run_job(context, operator, "work").run_id
    cancel(context, operator, asked)
    set_enabled(context, operator, "work", False)
    with pytest.raises(Disabled):
        retry(context, operator, asked)


@pytest.mark.parametrize("action", [cancel, retry])
def test_an_unknown_run_is_not_found_and_a_viewer_is_refused(
    context, known, operator, viewer, action, engine
):
    with pytest.raises(NotFound, match="There is no run"):
        action(context, operator, uuid4())
    with pytest.raises(NotAllowed, match="vera is a viewer"):
        action(context, viewer, uuid4())
    assert [row["outcome"] for row in audit(engine)] == ["refused", "refused"]


def test_arguments_that_were_too_long_to_be_kept_are_not_made_up(context, known, operator, settings):
    asked = run_job(context, operator, "work").run_id
    cancel(context, operator, asked)
    with psycopg.connect(settings.database_url) as database:
        cut = '["[cut: a message of 70000 bytes]"]'
        database.execute("UPDATE callboard.runs SET args = %s::jsonb", (cut,))
    with pytest.raises(Conflict, match="too long to be kept"):
        retry(context, operator, asked)
