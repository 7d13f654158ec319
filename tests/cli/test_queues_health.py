"""`callboard queues health`."""

import json
from typing import Any

from sqlalchemy import Engine


def test_the_health_of_queues_is_shown_with_what_it_rests_on(run: Any, installed: Engine) -> None:
    shown = run("queues", "health")

    assert shown.code == 0
    assert "default" in shown.out
    assert "not enough data" in shown.out
    found = json.loads(run("queues", "health", "default", "--json").out)["queues"]
    assert [each["name"] for each in found] == ["default"]


def test_a_queue_that_there_is_not_is_said_so_in_a_sentence(run: Any, installed: Engine) -> None:
    said = run("queues", "health", "nowhere")

    assert said.code == 1
    assert "There is no queue named 'nowhere'" in said.err
