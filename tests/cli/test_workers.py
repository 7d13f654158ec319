"""The fleet on the command line."""

import json

from callboard.core.keys import Keys
from helpers.fleets import add_fleet


def test_workers_are_listed_with_what_they_do_and_what_is_amiss(run, installed, settings, redis_client):
    assert "No worker is there" in run("workers", "list").err
    add_fleet(redis_client, Keys(settings.callboard_namespace))

    done = run("workers", "list", "--all", "--json")
    assert [each["id"] for each in json.loads(done.out)["processes"]][:2] == ["w1", "w2"]

    done = run("workers", "list")
    assert done.code == 0
    assert "3 of 8" in done.out
    assert "96 MB" in done.out
    assert "worker stage-2:4711: It runs version 0.0.9, and others run 0.1.0" in " ".join(done.err.split())
    assert "Versions differ: 0.0.9, 0.1.0." in done.err


def test_the_stack_of_a_run_that_nobody_knows_is_refused(run, installed):
    done = run("runs", "stack", "0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d")
    assert (done.code, done.out) == (1, "")
    assert "There is no run" in done.err
