"""Runs are retried and cancelled, some or many at once: each by the rules for one, and once."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from callboard.control.actions.bulk import abort
from callboard.control.actions.bulk_runs import count, deal, start
from callboard.control.auth import Principal, Role
from callboard.control.principal import Scope
from callboard.control.reads.bulk import bulk_action, bulk_actions
from callboard.control.reads.run_search import Wanted
from callboard.core.clock import utcnow
from callboard.core.errors import BadInput, Conflict, NotAllowed, NotFound
from callboard.storage.letters import requeued_id
from helpers.declarations import audit, declare, job
from helpers.letters import add_letters, left
from helpers.many_runs import add_runs, states
from helpers.queues import queued

FAILED = Wanted("state:failed job:greet")


@pytest.fixture(autouse=True)
def known(engine):
    declare(engine, job("greet"), job("wave"), job("bulk-runs"))


def test_some_runs_are_retried_each_by_the_rules_for_one(context, engine, operator):
    (letter,) = add_letters(engine, context.redis, context.keys, 1)
    (failed,), (done,), (dead,) = (add_runs(engine, 1, state) for state in ("failed", "succeeded", "dead"))
    (foreign,) = add_runs(engine, 1, job="unknown")
    nobody = uuid4()

    dealt = deal(context, operator, "retry", [letter, failed, done, dead, foreign, nobody, failed])

    assert set(dealt.done) == {letter, failed, dead}
    assert dealt.runs == [requeued_id(run_id) for run_id in dealt.done]
    assert dealt.failed == {
        str(done): "it has succeeded; run the job greet anew instead",
        str(foreign): "no running code declares the job unknown",
        str(nobody): "there is no such run",
    }
    assert {message.options["retry_of"] for message in queued(context.broker)} == set(map(str, dealt.done))
    assert left(engine) == 0
    row = audit(engine)[-1]
    assert (row["action"], row["target"], set(row["after"]["done"])) == (
        "retry_runs",
        "6 runs",
        set(map(str, dealt.done)),
    )

    again = deal(context, operator, "retry", [failed])
    assert again.done == []
    assert again.failed[str(failed)].startswith("it has been done again already, as run ")
    assert len(queued(context.broker)) == 3


def test_some_runs_are_cancelled_and_the_reason_is_kept(context, engine, operator):
    (waits,), (runs,), (done,) = (add_runs(engine, 1, each) for each in ("pending", "processing", "failed"))

    dealt = deal(context, operator, "cancel", [waits, runs, done], reason="by mistake")

    assert (set(dealt.done), dealt.runs) == ({waits, runs}, [])
    assert dealt.failed == {str(done): "it has ended already"}
    assert states(engine) == {"cancelled": 2, "failed": 1}
    with engine.connect() as connection:
        reasons = connection.execute(text("SELECT reason FROM callboard.runs WHERE state = 'cancelled'"))
        assert set(reasons.scalars()) == {"cancelled by otto: by mistake"}


@pytest.mark.parametrize("how_many", [0, 101])
def test_none_or_too_many_by_name_are_refused(context, operator, how_many):
    with pytest.raises(BadInput, match="1 to 100 runs"):
        deal(context, operator, "retry", [uuid4() for _ in range(how_many)])


def test_an_action_on_all_that_fit_is_asked_for_once_and_noted_once(context, engine, operator):
    add_runs(engine, 5)
    add_runs(engine, 2, "cancelled")
    add_runs(engine, 3, job="wave")
    add_runs(engine, 4, age=90_000)
    wanted = Wanted("job:greet since:2h")

    assert count(context, "retry", wanted) == 5
    first = start(context, operator, "retry", wanted)
    add_runs(engine, 1, age=0)
    second = start(context, operator, "retry", wanted)

    assert (first.new, second.new) == (True, False)
    assert first.action == second.action
    assert (first.action.total, first.action.filter) == (5, {"search": "job:greet since:2h", "hours": 24.0})
    assert [message.kwargs for message in queued(context.broker)] == [{"action_id": str(first.action.id)}]
    assert [row["target"] for row in audit(engine)] == ["job:greet since:2h"] * 2
    assert audit(engine)[0]["after"] == {
        "id": str(first.action.id),
        "filter": {"search": "job:greet since:2h", "hours": 24.0},
        "total": 5,
        "new": True,
    }
    assert count(context, "retry", Wanted("job:greet state:cancelled,failed", 48)) == 12


@pytest.mark.parametrize(
    ("what", "search"),
    [("retry", "state:succeeded"), ("cancel", "state:failed"), ("retry", "job:nobody")],
)
def test_an_action_on_nothing_is_refused(context, engine, operator, what, search):
    add_runs(engine, 1)
    add_runs(engine, 1, "succeeded")
    with pytest.raises(NotFound, match="no such runs"):
        start(context, operator, what, Wanted(search))
    with pytest.raises(BadInput, match="no filter"):
        start(context, operator, what, Wanted("nonsense"))


def test_an_action_is_aborted_and_is_none_on_dead_letters(context, engine, operator):
    add_runs(engine, 2)
    action = start(context, operator, "retry", FAILED).action

    with pytest.raises(NotFound, match="on dead letters"):
        abort(context, operator, "dead letters", action.id)
    assert abort(context, operator, "runs", action.id).state == "aborted"
    with pytest.raises(Conflict, match="has ended"):
        abort(context, operator, "runs", action.id)
    assert bulk_actions(context, "dead letters")[0] == ()
    assert bulk_actions(context, "runs")[0] == (bulk_action(context, "runs", action.id),)


def test_who_is_limited_to_a_job_has_to_name_it(context, engine):
    narrow = Principal("token:narrow", Role.OPERATOR, "api", scope=Scope(jobs=frozenset({"greet"})))
    (own,), (other,) = add_runs(engine, 1), add_runs(engine, 1, job="wave")

    for search in ("state:failed", "job:greet,wave", "job:~greet", "job:wave"):
        with pytest.raises(NotAllowed, match="limited to"):
            start(context, narrow, "retry", Wanted(search))
    with pytest.raises(NotAllowed, match="of wave"):
        deal(context, narrow, "retry", [own, other])
    assert deal(context, narrow, "retry", [own]).done == [own]
    add_runs(engine, 1)
    assert start(context, narrow, "retry", Wanted("job:greet")).action.total == 1


def test_a_viewer_may_neither(context, engine, viewer):
    (run_id,) = add_runs(engine, 1)
    for what in ("retry", "cancel"):
        with pytest.raises(NotAllowed):
            deal(context, viewer, what, [run_id])
        with pytest.raises(NotAllowed):
            start(context, viewer, what, FAILED)
    assert [row["outcome"] for row in audit(engine)] == ["refused"] * 4


def test_moments_of_a_search_are_of_the_zone_that_it_names(context, engine):
    from zoneinfo import ZoneInfo

    add_runs(engine, 1, age=1_800)
    zone = ZoneInfo("Asia/Tokyo")
    words = f'since:"{utcnow().astimezone(zone) - timedelta(hours=1):%Y-%m-%d %H:%M}"'
    assert count(context, "retry", Wanted(words, zone="Asia/Tokyo")) == 1
    assert count(context, "retry", Wanted(words)) == 0
