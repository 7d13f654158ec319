"""Chains and groups are one thing with parts, those that never ran included."""

import dramatiq
import pytest
from dramatiq import group, pipeline

from callboard.control.reads.runs import run as read_run
from callboard.core.errors import NotFound
from helpers.recorders import recording
from helpers.waiting import wait_for
from helpers.workers import wait_until_empty, working


def told(context, message):
    """The flows of a run, once it is recorded as ended."""

    def ended():
        try:
            detail = read_run(context, message.message_id)
        except NotFound:
            return None
        return detail if detail.run.ended else None

    return wait_for(ended).flows


@pytest.fixture
def jobs(broker):
    """Jobs a, b and c; b fails when told to."""

    def a():
        return True

    def b(fails=False):
        if fails is not True:
            return
        raise ValueError("no totals")

    for name, function in (("a", a), ("b", b), ("c", lambda *_: None)):
        dramatiq.actor(function, broker=broker, actor_name=name, max_retries=0)
    return broker.get_actor


def test_a_failed_part_says_what_did_not_run_because_of_it(context, broker, jobs, settings):
    # Given a chain whose second part fails on what the first one hands it
    first, second, third = jobs("a").message(), jobs("b").message(), jobs("c").message()
    with recording(settings), working(broker):
        pipeline([first, second, third]).run()
        (chain,) = told(context, second)

        # Then all three are shown, from whichever part one looks
        assert [(part.job, part.state, part.reason) for part in chain.parts] == [
            ("a", "succeeded", None),
            ("b", "failed", "no totals"),
            ("c", "not run", "b failed"),
        ]
        assert [str(part.run_id) for part in chain.parts[:2]] == [first.message_id, second.message_id]
        assert told(context, first) == (chain,)


def test_a_chain_under_way_shows_what_is_still_to_come(context, broker, jobs, settings):
    first = jobs("a").message()
    second = jobs("b").message_with_options(delay=60_000, pipe_ignore=True)
    with recording(settings), working(broker):
        pipeline([first, second]).run()
        (chain,) = told(context, first)
    assert [part.state for part in chain.parts] == ["succeeded", "waiting"]


def test_a_group_is_shown_with_what_follows_it(context, broker, jobs, settings):
    parts, last = [jobs("a").message() for _ in range(3)], jobs("c").message()
    made = group(parts)
    made.add_completion_callback(last)
    with recording(settings), working(broker):
        made.run()
        (flow,) = told(context, last)
        wait_until_empty(broker)
    assert flow.kind == "group"
    assert [part.state for part in flow.parts] == ["succeeded"] * 3
    assert [(part.job, part.state) for part in flow.then] == [("c", "succeeded")]


def test_a_group_with_a_failed_part_says_that_what_follows_did_not_run(context, broker, jobs, settings):
    parts = [jobs("a").message(), jobs("b").message(True)]
    made = group(parts)
    made.add_completion_callback(jobs("c").message())
    with recording(settings), working(broker):
        made.run()
        told(context, parts[0])
        (flow,) = told(context, parts[1])
        wait_for(lambda: len(told(context, parts[1])[0].parts) == 2)
    assert [(part.job, part.state, part.reason) for part in flow.then] == [("c", "not run", "b failed")]


def test_a_run_of_its_own_is_part_of_nothing(context, broker, jobs, settings):
    message = jobs("a").send()
    with recording(settings), working(broker):
        assert told(context, message) == ()
