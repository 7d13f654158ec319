"""A breaker is seen and closed by hand."""

import time

import pytest

from callboard.control.actions.breakers import reset
from callboard.control.reads.breakers import breakers, changes
from callboard.core.errors import NotAllowed, NotFound
from helpers.declarations import audit
from helpers.recorders import recording
from helpers.waiting import wait_for
from helpers.workers import Calls, declare, working


@pytest.fixture
def failing(broker):
    """A job whose breaker opens with its first failure, and stays open; returns its calls."""
    calls = Calls()

    def work():
        if calls.note() == 1:
            raise ConnectionError("down")

    declare(broker, work, max_retries=0, breaker="mail", breaker_threshold=1)
    return calls


def test_an_open_breaker_is_shown_with_its_cause_and_closed_by_hand(
    context, broker, failing, operator, settings
):
    with recording(settings), working(broker):
        broker.get_actor("work").send()
        wait_for(lambda: [each.state for each in breakers(context)] == ["open"])
        broker.enqueue_many(broker.get_actor("work").message() for _ in range(3))
        wait_for(lambda: breakers(context)[0].waiting == 3)
        (found,) = breakers(context)
        assert (found.name, found.cause) == ("mail", "ConnectionError: down")
        assert found.until is not None
        assert found.opened_at is not None
        assert 290 < (found.until - found.opened_at).total_seconds() < 310

        begun = time.monotonic()
        done = reset(context, operator, "mail")
        failing.wait_for(4)
        assert (done.name, done.was) == ("mail", "open")
        assert time.monotonic() - begun < 15
        wait_for(lambda: len(changes(context)[0]) == 2)
    assert [(each.from_state, each.to_state, each.cause) for each in changes(context, breaker="mail")[0]] == [
        ("open", "closed", "closed by otto"),
        ("closed", "open", "ConnectionError: down"),
    ]
    assert changes(context, breaker="other") == ((), None)


def test_an_open_breaker_is_an_alert_until_it_closes(context, broker, failing, operator, settings, engine):
    from sqlalchemy import text

    def alerts():
        with engine.connect() as connection:
            query = text(
                "SELECT subject, resolved_at IS NULL FROM callboard.alerts WHERE kind = 'breaker_open'"
            )
            return [tuple(row) for row in connection.execute(query)]

    with recording(settings), working(broker):
        broker.get_actor("work").send()
        wait_for(lambda: alerts() == [("mail", True)])
        reset(context, operator, "mail")
        wait_for(lambda: alerts() == [("mail", False)])


def test_a_viewer_closes_none_and_an_unknown_one_is_not_found(context, viewer, operator, engine):
    with pytest.raises(NotAllowed):
        reset(context, viewer, "mail")
    with pytest.raises(NotFound, match="There is no breaker 'mail'"):
        reset(context, operator, "mail")
    assert [row["outcome"] for row in audit(engine)] == ["refused", "refused"]
