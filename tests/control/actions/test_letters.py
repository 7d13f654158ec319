"""Dead letters are requeued and dropped: singly, by filter, once."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from callboard.control.actions.bulk import abort
from callboard.control.actions.letters import deal, start
from callboard.control.reads.bulk import bulk_action
from callboard.control.reads.letters import Wanted, groups, letters
from callboard.core.errors import BadInput, Conflict, NotAllowed, NotFound
from callboard.storage.letters import requeued_id
from helpers.declarations import audit, declare, job
from helpers.letters import add_letters, left, left_in_redis
from helpers.queues import queued


@pytest.fixture
def add(context, engine):
    """Adds dead letters of the job greet."""
    declare(engine, job("greet"), job("wave"), job("dead-letters"))

    def made(count, **fields):
        return add_letters(engine, context.redis, context.keys, count, **fields)

    return made


def rows(engine, run_id):
    with engine.connect() as connection:
        query = text("SELECT * FROM callboard.runs WHERE run_id = :id")
        return connection.execute(query, {"id": run_id}).mappings().all()


def test_a_requeued_letter_is_a_new_run_that_names_the_old_one(context, engine, operator, add):
    (run_id,) = add(1, options={"due_at": 5, "schedule_id": 7, "begun": True, "mine": "kept"})

    dealt = deal(context, operator, "requeue", [run_id])

    assert dealt.done == [run_id]
    assert dealt.runs == [requeued_id(run_id)]
    (message,) = queued(context.broker)
    assert message.message_id == str(dealt.runs[0])
    assert (message.actor_name, message.args, message.kwargs) == ("greet", (0,), {"to": "you"})
    assert {name: message.options[name] for name in message.options if name != "redis_message_id"} == {
        "mine": "kept",
        "trigger": "manual",
        "requested_by": "otto",
        "retry_of": str(run_id),
    }
    (old,), (new,) = rows(engine, run_id), rows(engine, dealt.runs[0])
    assert (old["state"], old["dead_letter"]) == ("failed", None)
    assert (new["state"], new["attempt"], new["args"], new["requested_by"]) == ("pending", 1, [0], "otto")
    assert left_in_redis(context.redis, context.keys) == (0, 0)


def test_a_second_click_finds_nothing_to_requeue(context, operator, add):
    run_ids = add(3)
    deal(context, operator, "requeue", run_ids)

    with pytest.raises(NotFound, match="may have been requeued"):
        deal(context, operator, "requeue", run_ids)

    assert len(queued(context.broker)) == 3


def test_a_dropped_letter_is_gone_and_its_run_stays(context, engine, operator, add):
    (run_id, other) = add(2)

    dealt = deal(context, operator, "drop", [run_id])

    assert (dealt.done, dealt.runs) == ([run_id], [])
    assert left(engine) == 1
    assert left_in_redis(context.redis, context.keys) == (1, 1)
    assert rows(engine, run_id)[0]["error"] == "no luck"
    assert [letter.run_id for letter in letters(context)[0]] == [other]
    assert queued(context.broker) == []


def test_what_cannot_be_requeued_stays_with_the_reason(context, engine, operator, add):
    lost, garbled, foreign = *add(2), *add(1, job="unknown")
    letter_ids = {row["run_id"]: row["dead_letter"] for run in (lost, garbled) for row in rows(engine, run)}
    context.redis.hdel(context.keys.dead_messages("default"), letter_ids[lost])
    context.redis.hset(context.keys.dead_messages("default"), letter_ids[garbled], b"\x80no")

    dealt = deal(context, operator, "requeue", [lost, garbled, foreign])

    assert dealt.done == dealt.runs == []
    assert dealt.failed == {
        str(lost): "its message is no longer in Redis",
        str(garbled): "its message cannot be decoded",
        str(foreign): "no running code declares the job unknown",
    }
    assert left(engine) == 3


def test_letters_are_searched_page_by_page(context, add):
    add(5, error="the 100%_sure thing")
    add(2, job="wave", error="another", age=3)

    found, cursor = letters(context, Wanted(text="100%_SURE"), limit=3)
    rest, end = letters(context, Wanted(text="100%_SURE"), limit=3, cursor=cursor)
    assert (len(found), len(rest), end) == (3, 2, None)
    assert len({letter.run_id for letter in (*found, *rest)}) == 5
    assert letters(context, Wanted(text="100__sure"))[0] == ()
    assert len(letters(context, Wanted(job="wave"))[0]) == 2
    since = datetime.now(UTC) - timedelta(days=1)
    assert len(letters(context, Wanted(since=since))[0]) == 5
    assert len(letters(context, Wanted(until=since))[0]) == 2
    with pytest.raises(BadInput, match="no page"):
        letters(context, cursor="x")
    with pytest.raises(BadInput, match="no time zone"):
        letters(context, Wanted(since=datetime(2026, 1, 1)))  # noqa: DTZ001 - what is refused


def test_letters_are_grouped_by_what_went_wrong(context, add):
    add(3, error="first", mark="aaaa", age=2)
    add(1, error="latest", mark="aaaa", job="wave")
    add(2, mark="bbbb")

    one, other = groups(context)

    assert (one.fingerprint, one.letters, one.jobs, one.error) == ("aaaa", 4, ["greet", "wave"], "latest")
    assert one.last_at - one.first_at > timedelta(days=1.9)
    assert (other.fingerprint, other.letters) == ("bbbb", 2)
    assert [group.fingerprint for group in groups(context, Wanted(job="wave"))] == ["aaaa"]


def test_an_action_on_many_that_is_asked_for_twice_is_one(context, engine, operator, add):
    add(5)

    first = start(context, operator, "requeue", Wanted(job="greet"))
    second = start(context, operator, "requeue", Wanted(job="greet"))
    other = start(context, operator, "drop", Wanted(job="greet"))

    assert (first.new, second.new, other.new) == (True, False, True)
    assert first.action.id == second.action.id != other.action.id
    assert (first.action.state, first.action.total, first.action.run_id) == (
        "queued",
        5,
        second.action.run_id,
    )
    messages = queued(context.broker)
    assert [message.kwargs for message in messages] == [
        {"action_id": str(first.action.id)},
        {"action_id": str(other.action.id)},
    ]
    assert [row["after"]["new"] for row in audit(engine)] == [True, False, True]


def test_an_action_whose_run_has_ended_too_early_is_taken_up_again(context, engine, operator, add):
    add(5)
    first = start(context, operator, "drop", Wanted()).action
    with engine.begin() as connection:
        connection.execute(text("SELECT callboard.end_run(:id, 'cancelled')"), {"id": first.run_id})

    again = start(context, operator, "drop", Wanted())

    assert not again.new
    assert again.action.id == first.id
    assert again.action.run_id != first.run_id


def test_an_action_on_nothing_or_without_a_worker_is_refused(context, engine, operator, add):
    with pytest.raises(NotFound, match="no such dead letters"):
        start(context, operator, "drop", Wanted(job="greet"))
    declare(engine, job("greet"))
    add_letters(engine, context.redis, context.keys, 1)
    declare(engine, job("greet"))
    with pytest.raises(Conflict, match=r"callboard\.actors"):
        start(context, operator, "drop", Wanted())


def test_an_action_is_aborted_once(context, operator, add):
    add(2)
    action = start(context, operator, "requeue", Wanted()).action

    assert abort(context, operator, "dead letters", action.id).state == "aborted"

    with pytest.raises(Conflict, match="has ended"):
        abort(context, operator, "dead letters", action.id)
    assert bulk_action(context, "dead letters", action.id).ended
    with pytest.raises(NotFound):
        abort(context, operator, "dead letters", uuid4())


def test_a_viewer_may_neither_and_it_is_noted(context, engine, viewer, add):
    (run_id,) = add(1)

    for what in ("requeue", "drop"):
        with pytest.raises(NotAllowed):
            deal(context, viewer, what, [run_id])
        with pytest.raises(NotAllowed):
            start(context, viewer, what, Wanted())
    assert [row["outcome"] for row in audit(engine)] == ["refused"] * 4
    assert left(engine) == 1


@pytest.mark.parametrize("count", [0, 101])
def test_none_or_too_many_at_once_are_refused(context, operator, count):
    with pytest.raises(BadInput, match="1 to 100 runs"):
        deal(context, operator, "drop", [uuid4() for _ in range(count)])
