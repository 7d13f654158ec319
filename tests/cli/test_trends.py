"""`callboard queues trend` and `callboard jobs trend`."""

import json
from typing import Any

import pytest
from sqlalchemy import Engine, text

from helpers.rollups import sum_queues

ADD = text("""
INSERT INTO callboard.rollups (width_s, bucket, job, queue, succeeded, failed, duration_hist)
SELECT 3600, date_trunc('hour', now()) - hours * interval '1 hour', 'greet', 'default', number, 1, '{0,0,4}'
  FROM (VALUES (0, 3), (24, 1)) AS given (hours, number)
""")


@pytest.mark.parametrize(("what", "name"), [("queues", "default"), ("jobs", "greet")])
def test_a_trend_is_shown_point_by_point_with_what_has_changed(
    run: Any, installed: Engine, what: str, name: str
) -> None:
    with installed.begin() as connection:
        connection.execute(ADD)
        sum_queues(connection)

    shown = run(what, "trend", name)
    found = json.loads(run(what, "trend", name, "--json").out)

    assert shown.code == 0, shown.err
    assert "25.0%" in shown.out or "25%" in shown.out
    assert "Runs: 4, rising, before 2" in shown.out
    assert "Failures: 25%, falling, before 50%" in shown.out
    assert (found["window"], len(found["trend"]["points"])) == ("day", 24)
    assert sum(each["finished"] for each in found["trend"]["points"]) == 4


def test_what_there_is_not_is_said_in_a_sentence(run: Any, installed: Engine) -> None:
    nowhere, no_job = run("queues", "trend", "nowhere"), run("jobs", "trend", "gret")

    assert (nowhere.code, no_job.code) == (1, 1)
    assert "There is no queue named 'nowhere'" in nowhere.err
    assert "greet" in no_job.err
    assert run("jobs", "trend", "greet", "--window", "year").code == 2
