"""The fleet, from what its processes say."""

import re
import threading

import pytest

from callboard.control.reads.fleet import fleet
from callboard.middleware import keeper
from callboard.storage.presence import Presence, list_present
from helpers.fleets import MB, SILENT_FOR_LONG, add_fleet, add_process, add_worker, now_ms
from helpers.waiting import wait_for
from helpers.workers import declare, working


@pytest.fixture
def settings(settings):
    return settings.model_copy(update=SILENT_FOR_LONG)


@pytest.fixture
def client(context):
    return context.redis


def test_a_worker_says_what_it_is_and_what_it_does(context, broker, monkeypatch):
    monkeypatch.setattr(keeper, "ROUND", 0.1)
    release = threading.Event()
    declare(broker, lambda: release.wait(20), actor_name="work", queue_name="mail", max_retries=0)
    sent = broker.get_actor("work").send()
    with working(broker, threads=3):
        wait_for(lambda: fleet(context).busy == 1)
        found = fleet(context)
        release.set()
        wait_for(lambda: fleet(context).busy == 0)

    (one,) = found.processes
    assert (one.part, one.life, one.threads, one.queues) == ("worker", "alive", 3, ("mail",))
    (doing,) = one.runs
    assert (doing.run_id, doing.job, doing.attempt, doing.lost) == (sent.message_id, "work", 1, False)
    assert one.memory is not None
    assert one.memory > 10 * MB
    assert found.versions == (one.version,)
    assert one.warnings == ()


def test_a_fleet_with_its_troubles(context, client):
    add_fleet(client, context.keys)

    found = fleet(context)

    lives = {each.id: each.life for each in found.processes}
    assert [lives[name] for name in ("w1", "w3", "w4", "w5", "s1", "r2")] == [
        "alive",
        "alive",
        "silent",
        "dead",
        "alive",
        "alive",
    ]
    assert [each.part for each in found.processes][-5:] == [
        "scheduler",
        "recorder",
        "recorder",
        "api",
        "panel",
    ]
    assert (found.threads, found.busy) == (32, 5)
    assert found.versions == ("0.0.9", "0.1.0")
    said = {each.id: " ".join(each.warnings) for each in found.processes}
    assert "version 0.0.9, and others run 0.1.0" in said["w3"]
    assert "1 thread of 8 is lost" in said["w3"]
    assert re.match(r"It has given no sign of life for 1\d\.\d s", said["w4"])
    assert re.match(r"It died, or lost its network, 5 min \d\d s ago", said["w5"])
    assert said["w1"] == said["s1"] == ""
    assert {each.id: each.does for each in found.processes}["r2"] == "stands by"
    assert len(fleet(context, part="recorder").processes) == 2


def test_what_has_long_been_dead_or_says_nonsense_is_left_out(context, client):
    add_worker(client, context.keys, "gone", silence_s=3_700)
    add_process(client, context.keys, "orchestra", "x")
    client.hset(context.keys.processes, "broken", "{")
    client.hset(context.keys.workers, "broken", "[]")

    assert fleet(context).processes == ()


def test_a_process_that_has_been_dead_for_an_hour_is_forgotten_by_the_next(context, client):
    key = context.keys.processes
    client.hset(key, "old", f'{{"at": {now_ms(client) - 3_700_000}}}')
    presence = Presence(client, key, lambda: {"part": "api"})

    presence.beat()
    (one,) = list_present(client, key)
    assert (one["id"], one["part"], one["alive"]) == (presence.id, "api", True)

    presence.leave()
    assert list_present(client, key) == []
