"""Limits: how each stands, who holds it, and one of them by its key."""

import time
import uuid

import pytest

from callboard.control.reads.limits import BATCH, limit, limits
from callboard.core.errors import NotFound
from helpers.declarations import declare, job

HOLDER = uuid.UUID("0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d")


@pytest.fixture(autouse=True)
def known(engine):
    by_tenant = {"key": "tenant:{tenant}", "concurrent": 4, "per_minute": 9}
    declare(
        engine,
        job("sync", options={"limit": by_tenant}),
        job("report", options={"limit": [{"concurrent": 1}, by_tenant | {"concurrent": 3}]}),
    )


def hold(context, key, *, left_s=600.0, begun=0):
    now = time.time()
    context.redis.zadd(context.keys.slots(key), {f"{HOLDER}:x": (now + left_s) * 1000})
    if begun:
        context.redis.hset(context.keys.rate(key), str(int(now)), begun)


def test_a_key_without_arguments_is_listed_before_anybody_holds_it(context):
    (found,) = limits(context)
    assert (found.key, found.concurrent, found.jobs, found.running) == ("report", 1, ("report",), 0)


def test_more_keys_than_are_asked_of_at_a_time_are_all_listed_each_with_its_own_figures(context):
    count = BATCH + 20
    with context.redis.pipeline() as pipeline:
        for number in range(count):
            pipeline.hset(context.keys.rate(f"tenant:{number:04}"), str(int(time.time())), number + 1)
        pipeline.execute()

    found = {each.key: each for each in limits(context)}

    assert len(found) == count + 1
    assert [found[f"tenant:{number:04}"].begun for number in range(count)] == list(range(1, count + 1))
    # Two jobs name the key; the tighter bound is the one that holds.
    assert {(each.concurrent, each.per_minute) for key, each in found.items() if key != "report"} == {(3, 9)}


def test_one_limit_is_found_by_its_key_with_those_who_hold_it(context):
    hold(context, "tenant:7", begun=5)
    found = limit(context, "tenant:7")
    assert (found.running, found.begun, found.holders) == (1, 5, (HOLDER,))
    assert found.jobs == ("report", "sync")


def test_what_a_dead_worker_held_holds_nothing_any_more(context):
    hold(context, "tenant:7", left_s=-1)
    with pytest.raises(NotFound, match="There is no limit 'tenant:7'"):
        limit(context, "tenant:7")


def test_a_limit_that_nobody_has_ever_named_is_not_found(context):
    with pytest.raises(NotFound, match="There is no limit 'nobody'"):
        limit(context, "nobody")
    assert limit(context, "report").running == 0
