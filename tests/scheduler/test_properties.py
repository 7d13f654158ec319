"""For random schedules, downtimes and policies: each slot has one occurrence, and the counts are exact.

What is expected is worked out here in the plainest way, from an independent cron library, and compared with
what a scheduler has left in the database and in the queue.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from croniter import croniter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callboard.core.clock import to_ms
from callboard.scheduler.clock import Clock
from callboard.scheduler.emitter import Scheduler
from helpers.queues import slots_sent
from helpers.schedules import add_schedule, execute, occurrences

#: None of the slots is more than so many back, so that each is recorded by itself.
MOST = 1_000


class StillClock(Clock):
    """A clock at which it is always the same time, whatever that of the database."""

    def __init__(self, moment):
        super().__init__(lambda: moment.timestamp(), lambda: 0.0)

    def measure(self, database_time):
        return 0.0


class Case:
    def __init__(self, expr, down, misfire, limit, grace_ms, enabled):
        self.expr, self.down, self.enabled = expr, down, enabled
        self.misfire, self.limit, self.grace_ms = misfire, limit, grace_ms

    def __repr__(self):
        return f"Case{tuple(vars(self).values())}"

    def slots(self, now):
        """By croniter, in UTC."""
        found = []
        steps = croniter(self.expr, now - self.down)
        while len(found) <= MOST and (due := steps.get_next(datetime)) <= now:
            found.append(due)
        return found

    def expected(self, now):
        """What becomes of each slot, in the words of the policy."""
        due = self.slots(now)
        if not self.enabled:
            return dict.fromkeys(due, "skipped_disabled")
        grace = timedelta(milliseconds=max(self.grace_ms, 1_000))
        fresh = [moment for moment in due if now - moment <= grace]
        old = [moment for moment in due if now - moment > grace]
        outcome = dict.fromkeys(fresh, "fired")
        if self.misfire == "skip":
            return dict.fromkeys(old, "missed") | outcome
        if self.misfire == "run_all":
            run, rest = old[: self.limit], old[self.limit :]
            return dict.fromkeys(run, "late") | dict.fromkeys(rest, "missed") | outcome
        outcome = dict.fromkeys(old, "coalesced") | outcome
        if old and not fresh:
            outcome[old[-1]] = "late"
        return outcome


cases = st.builds(
    Case,
    expr=st.sampled_from(
        [
            "* * * * *",
            "*/7 * * * *",
            "0 * * * *",
            "15,45 8-18 * * 1-5",
            "0 0 * * 0",
            "*/5 9 * * *",
            "0 0 29 2 *",
        ]
    ),
    down=st.one_of(
        st.timedeltas(timedelta(0), timedelta(hours=1)),
        st.timedeltas(timedelta(0), timedelta(hours=16)),
        st.timedeltas(timedelta(0), timedelta(days=30)),
    ),
    misfire=st.sampled_from(["skip", "run_once", "run_all"]),
    limit=st.integers(0, 500),
    grace_ms=st.one_of(st.just(0), st.integers(0, 3_600_000), st.integers(0, 10**9)),
    enabled=st.sampled_from([True, True, True, False]),
)
moments = st.datetimes(datetime(2024, 1, 1), datetime(2025, 12, 31)).map(  # noqa: DTZ001
    lambda moment: moment.replace(tzinfo=UTC)
)


@pytest.mark.timeout(300)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(now=moments, chosen=st.lists(cases, min_size=1, max_size=6), schedulers=st.integers(1, 3))
def test_every_slot_of_the_window_has_one_occurrence_and_every_run_one_message(
    engine, relay, broker, now, chosen, schedulers
):
    chosen = [case for case in chosen if len(case.slots(now)) <= MOST]
    execute(engine, "TRUNCATE callboard.schedules, callboard.occurrences, callboard.outbox, callboard.runs")
    broker.client.flushdb()
    ids = [
        add_schedule(
            engine,
            f"job-{number}",
            case.expr,
            misfire=case.misfire,
            limit=case.limit,
            grace_ms=case.grace_ms,
            enabled=case.enabled,
            checked_until=now - case.down,
        )
        for number, case in enumerate(chosen)
    ]
    # Several schedulers, each of which believes at first that nothing is decided yet.
    fleet = [Scheduler(engine, relay, StillClock(now)) for _ in range(schedulers)]
    for scheduler in fleet:
        scheduler._load()
    for scheduler in fleet:
        scheduler.schedule()

    sent = slots_sent(broker)
    for schedule_id, case in zip(ids, chosen, strict=True):
        expected = case.expected(now)
        found = occurrences(engine, schedule_id)
        assert {due: disposition for due, disposition, *_ in found} == expected, case
        assert len(found) == len(expected)
        assert all(reason for _, _, reason, _ in found)
        runs = {to_ms(due) for due, disposition in expected.items() if disposition in ("fired", "late")}
        assert {due for schedule, due in sent if schedule == schedule_id} == runs
    assert set(sent.values()) <= {1}
    assert sum(Counter(sent).values()) == len(sent)
