"""Queues, jobs and everything are paused and resumed, with a reason and a name."""

import time

import psycopg
import pytest

from callboard.control.actions.pauses import pause, resume
from callboard.control.auth import Principal, Role
from callboard.control.principal import Scope
from callboard.control.reads.pauses import pause_of, pauses
from callboard.control.reads.queues import queues
from callboard.core.errors import BadInput, NotAllowed, NotFound
from callboard.scheduler.switches import sync_switches
from helpers.declarations import audit, declare, job
from helpers.recorders import recording
from helpers.waiting import wait_for
from helpers.workers import Calls, linger, working
from helpers.workers import declare as declare_actor


@pytest.fixture
def known(engine):
    declare(engine, job("work"), job("other", queue="second"))


def test_workers_obey_a_pause_within_a_second_without_a_scheduler(context, broker, known, operator):
    # Given a worker, and no scheduler that could pass anything on
    ran = Calls()
    declare_actor(broker, ran.note, actor_name="work", max_retries=0)
    with working(broker):
        # When its queue is paused and a message comes
        paused = pause(context, operator, "queue", "default", reason="maintenance")
        wait_for(lambda: broker.is_paused("default"), 1)
        broker.get_actor("work").send()
        time.sleep(0.3)

        # Then it waits, visibly, until the queue is resumed
        assert ran.made == []
        (default, second) = queues(context)
        assert (default.waiting, default.pause, second.pause) == (1, paused.pause, None)
        assert resume(context, operator, "queue", "default").changed
        ran.wait_for(1, timeout=2)
    assert pauses(context) == ()


def test_a_paused_job_shows_how_many_of_its_runs_are_parked(context, broker, known, operator):
    ran = Calls()
    declare_actor(broker, ran.note, actor_name="work", max_retries=0)
    pause(context, operator, "job", "work", reason="maintenance")
    with working(broker):
        broker.enqueue_many(broker.get_actor("work").message() for _ in range(7))
        wait_for(lambda: queues(context)[0].parked == 7)
        assert queues(context)[0].pause is None
        resume(context, operator, "job", "work")
        ran.wait_for(7)
    assert queues(context)[0].parked == 0


def test_what_runs_finishes_or_is_cancelled_as_the_operator_chooses(
    context, broker, known, operator, settings
):
    # Given a run under way
    started = Calls()

    def work():
        started.note()
        linger(10)

    declare_actor(broker, work, max_retries=3)
    with recording(settings), working(broker), psycopg.connect(settings.database_url) as database:
        database.autocommit = True
        message = broker.get_actor("work").send()
        started.wait_for(1)

        def states():
            query = "SELECT state, reason FROM callboard.runs WHERE run_id = %s"
            return database.execute(query, (message.message_id,)).fetchall()

        wait_for(lambda: states() == [("processing", None)])

        # When everything is paused, it goes on; with cancel_running it is cancelled
        assert pause(context, operator, "all", reason="first").cancelled == 0
        assert states() == [("processing", None)]
        again = pause(context, operator, "all", reason="second", cancel_running=True)
        assert (again.new, again.cancelled) == (False, 1)
        wait_for(lambda: not broker.client.smembers(broker.keys.acks(broker.broker_id, "default")), 2)
        assert states() == [("cancelled", "paused: second")]
        resume(context, operator, "all")
    assert len(started.made) == 1


def test_each_change_is_audited_with_what_was_and_is(context, known, engine, operator):
    pause(context, operator, "queue", "default", reason="one")
    pause(context, operator, "queue", "default", reason="two")
    resume(context, operator, "queue", "default")
    assert [(row["action"], row["target"], row["before"], row["after"]) for row in audit(engine)] == [
        ("pause", "queue default", None, {"reason": "one", "by": "otto", "cancelled": 0}),
        (
            "pause",
            "queue default",
            {"reason": "one", "by": "otto"},
            {"reason": "two", "by": "otto", "cancelled": 0},
        ),
        ("resume", "queue default", {"reason": "two", "by": "otto"}, None),
    ]


def test_resuming_what_is_not_paused_changes_nothing_and_says_so(context, known, operator):
    assert not resume(context, operator, "all").changed


@pytest.mark.parametrize(("scope", "name"), [("queue", "nowhere"), ("job", "nobody")])
def test_what_is_not_known_cannot_be_paused(context, known, operator, scope, name):
    with pytest.raises(NotFound, match=name):
        pause(context, operator, scope, name, reason="why not")
    assert pauses(context) == ()


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_pause_without_a_proper_reason_is_refused(context, known, operator, reason):
    with pytest.raises(BadInput, match="Give a reason"):
        pause(context, operator, "all", reason=reason)
    assert pauses(context) == ()


def test_a_viewer_pauses_nothing_and_a_limited_operator_only_what_is_theirs(context, known, viewer):
    with pytest.raises(NotAllowed, match="queues:pause"):
        pause(context, viewer, "all", reason="why not")
    limited = Principal("lim", Role.OPERATOR, "api", scope=Scope(jobs=frozenset({"work"})))
    pause(context, limited, "job", "work", reason="mine")
    with pytest.raises(NotAllowed):
        pause(context, limited, "job", "other", reason="not mine")
    with pytest.raises(NotAllowed):
        resume(context, limited, "queue", "default")


def test_the_widest_pause_speaks_for_a_job(context, known, operator):
    for scope, name in (("job", "work"), ("queue", "default"), ("all", "")):
        pause(context, operator, scope, name, reason=f"the {scope}")
        found = pause_of(pauses(context), queue="default", job="work")
        assert found is not None
        assert found.reason == f"the {scope}"
    assert pause_of(pauses(context)[1:], queue="second", job="other") is None


def test_a_pause_by_sql_reaches_the_fleet_and_the_audit_trail(context, known, engine, settings):
    with psycopg.connect(settings.database_url) as database:
        database.execute("INSERT INTO callboard.pauses (scope, name, reason) VALUES ('all', '', 'by hand')")
    assert sync_switches(engine, context.redis, context.keys) == 1
    assert context.redis.hexists(context.keys.control, "paused:all:")
    (row,) = audit(engine)
    assert (row["action"], row["target"], row["origin"]) == ("pause", "all", "sql")
