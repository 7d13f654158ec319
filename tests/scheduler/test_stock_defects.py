"""Replays of what stock Periodiq does wrong: each fails there, and holds here."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import dramatiq
import pendulum
import periodiq
import pytest
from dramatiq.middleware import SkipMessage

from callboard.core.clock import to_ms
from callboard.core.cron import cron
from callboard.scheduler.clock import Clock
from callboard.scheduler.emitter import Scheduler
from helpers.queues import queued, slots_sent
from helpers.schedules import add_schedule, occurrences


@pytest.fixture
def stock(broker):
    """An actor as Periodiq's scheduler knows one."""

    @dramatiq.actor(broker=broker, actor_name="stock", periodic=cron("* * * * *"))
    def stock():
        pass

    return stock


def test_two_schedulers_emit_a_slot_once(engine, broker, relay, stock):
    now = pendulum.now()
    for _ in range(2):
        periodiq.Scheduler([stock]).send_actors([stock], now)
    assert len(queued(broker)) == 2, "stock Periodiq doubles"
    broker.client.flushdb()

    schedule_id = add_schedule(
        engine, "stock", "0 * * * *", checked_until=datetime.now(UTC) - timedelta(hours=3)
    )
    fleet = [Scheduler(engine, relay, Clock()) for _ in range(2)]
    for scheduler in fleet:
        scheduler._load()
    for scheduler in fleet:
        scheduler.schedule()
    assert len(occurrences(engine, schedule_id)) == 3
    assert len(queued(broker)) == 1


def test_a_backlog_of_more_than_thirty_seconds_is_not_erased_and_neither_are_retries(
    engine, broker, scheduler, stock
):
    # Periodiq's middleware drops what is older than 30 s, the retries of a cron job with it: they keep the
    # `scheduled_at` of the first attempt.
    old = str(pendulum.now().subtract(seconds=40))
    with pytest.raises(SkipMessage):
        periodiq.PeriodiqMiddleware().before_process_message(
            broker, stock.message_with_options(scheduled_at=old)
        )

    due = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=40)
    expr = f"{due.second} {due.minute} {due.hour} {due.day} {due.month} *"
    add_schedule(engine, "stock", expr, checked_until=due - timedelta(hours=1))
    scheduler.schedule()
    (message,) = queued(broker)
    for retries in (0, 1, 5):
        again = message.copy(options={"retries": retries})
        periodiq.PeriodiqMiddleware().before_process_message(broker, again)
        assert again.options["due_at"] == to_ms(due)


@pytest.mark.parametrize(
    ("expr", "moment", "right"),
    [
        ("0 0 * * 0", datetime(2026, 3, 1, tzinfo=UTC), True),  # a Sunday
        ("*/5 9 * * *", datetime(2026, 3, 1, 5, 3, tzinfo=UTC), datetime(2026, 3, 1, 9, 0, tzinfo=UTC)),
        ("0 0 29 2 *", datetime(2026, 3, 2, tzinfo=UTC), datetime(2028, 2, 29, tzinfo=UTC)),
    ],
)
def test_slots_are_computed_by_our_own_cron(engine, broker, relay, expr, moment, right):
    stock = periodiq.cron(expr)
    ours = cron(expr)
    if right is True:
        assert not stock.validate(moment)
        assert ours.validate(moment)
    else:
        assert stock.next_valid_date(pendulum.instance(moment)) != right
        assert ours.next_valid_date(moment) == right


def test_six_fields_mean_seconds(engine, broker, scheduler):
    # Stock Periodiq ignores the sixth field, and so takes this for every half hour.
    since = datetime.now(UTC) - timedelta(minutes=5)
    wrong = periodiq.cron("*/30 * * * * *").next_valid_date(pendulum.instance(since))
    assert (wrong.minute % 30, wrong.second) == (0, 0)

    schedule_id = add_schedule(engine, "job", "*/30 * * * * *", grace_ms=10**9, checked_until=since)
    scheduler.schedule()
    found = [due for due, *_ in occurrences(engine, schedule_id)]
    assert found[0] - since <= timedelta(seconds=30)
    assert {later - earlier for earlier, later in pairwise(found)} == {timedelta(seconds=30)}
    assert len(found) >= 10
    assert set(slots_sent(broker).values()) == {1}
