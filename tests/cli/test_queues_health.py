"""`callboard queues health`."""

import json
from typing import Any

from sqlalchemy import Engine, text

from helpers.rollups import sum_queues


def test_the_health_of_queues_is_shown_with_what_it_rests_on(run: Any, installed: Engine) -> None:
    shown = run("queues", "health")

    assert shown.code == 0
    assert "default" in shown.out
    assert "not enough data" in shown.out
    found = json.loads(run("queues", "health", "default", "--window", "week", "--json").out)
    assert [each["name"] for each in found["queues"]] == ["default"]
    assert (found["backlog"]["forecast"], found["waits"]["parts"]) == (None, [])


def test_what_runs_waited_for_and_who_held_the_threads_is_told_of_one_queue(
    run: Any, installed: Engine
) -> None:
    with installed.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO callboard.rollups (width_s, bucket, job, queue, succeeded, duration_sum_ms"
                ", wait_sum_ms, wait_hist, hand_sum_ms, held_limit_ms) VALUES (60"
                ", date_trunc('minute', now()), 'greet', 'default', 2, 8000, 3000, '{0,0,2}', 1000, 1600)"
            )
        )
        sum_queues(connection)

    shown = run("queues", "health", "default").out

    assert "800 ms  Held: limit, by a limit that was used up" in shown
    assert "200 ms  Waiting for a worker, until a worker fetched it" in shown
    assert "100%  greet: 8.0 s" in shown
    assert run("queues", "health", "default", "--window", "year").code == 2


def test_nothing_else_is_told_of_all_queues(run: Any, installed: Engine) -> None:
    assert "waits" not in json.loads(run("queues", "health", "--json").out)


def test_a_queue_that_there_is_not_is_said_so_in_a_sentence(run: Any, installed: Engine) -> None:
    said = run("queues", "health", "nowhere")

    assert said.code == 1
    assert "There is no queue named 'nowhere'" in said.err
