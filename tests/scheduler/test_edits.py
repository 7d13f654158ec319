"""Schedules that operators make and change while schedulers run: no slot is lost, and none doubled."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from callboard.control.actions.schedules import (
    add_schedule,
    edit_schedule,
    remove_schedule,
    set_schedule_enabled,
)
from callboard.control.auth import Principal, Role
from callboard.control.context import Context
from helpers.declarations import declare, job
from helpers.schedules import occurrences
from helpers.waiting import wait_for

OTTO = Principal("otto", Role.OPERATOR, "panel")
SECOND = timedelta(seconds=1)


@pytest.fixture
def context(settings, engine):
    declare(engine, job("report"))
    with Context(settings) as made:
        yield made


def test_a_schedule_made_by_an_operator_fires_from_the_next_second_on(
    context, engine, broker, start_scheduler
):
    process = start_scheduler()
    wait_for(lambda: process.scheduler.listening, what="listening")
    asked = datetime.now(UTC)

    made = add_schedule(context, OTTO, "report", "* * * * * *")

    wait_for(lambda: occurrences(engine, made.id), what="the first slot")
    due_at, disposition, _, _ = occurrences(engine, made.id)[0]
    assert due_at <= asked + 2 * SECOND
    assert disposition == "fired"


def test_under_edits_and_switches_each_second_has_one_disposition(context, engine, broker, start_scheduler):
    # Given two schedulers, and a schedule of every second
    for _ in range(2):
        process = start_scheduler()
        wait_for(lambda process=process: process.scheduler.listening, what="listening")
    made = add_schedule(context, OTTO, "report", "* * * * * *")
    wait_for(lambda: occurrences(engine, made.id), what="the first slot")
    # When it is written otherwise, switched off and on, again and again, right where its slots are
    for number in range(36):
        at_tick = 1 - time.time() % 1
        time.sleep(max(0.0, at_tick - 0.05) if number % 3 == 0 else 0.02)
        expr = ("0-59 * * * * *", "* * * * * *")[number % 2]
        edit_schedule(context, OTTO, made.id, {"expr": expr})
        set_schedule_enabled(context, OTTO, made.id, number % 4 != 0)
    set_schedule_enabled(context, OTTO, made.id, True)
    count = len(occurrences(engine, made.id))
    wait_for(lambda: len(occurrences(engine, made.id)) >= count + 2, what="slots after it all")
    # Expect each second from the first to the last to have its one row
    found = occurrences(engine, made.id)
    moments = [slot[0] for slot in found]
    assert len(moments) >= 10
    assert all(later - earlier == SECOND for earlier, later in pairwise(moments))
    kinds = Counter(slot[1] for slot in found)
    assert set(kinds) <= {"fired", "skipped_disabled", "cancelled"}
    assert kinds["fired"] >= 2


def test_a_schedule_that_is_deleted_fires_no_more(context, engine, broker, start_scheduler):
    start_scheduler()
    made = add_schedule(context, OTTO, "report", "* * * * * *")
    wait_for(lambda: len(occurrences(engine, made.id)) >= 2, what="two slots")

    remove_schedule(context, OTTO, made.id)

    count = len(occurrences(engine, made.id))
    time.sleep(2.2)
    assert len(occurrences(engine, made.id)) == count
