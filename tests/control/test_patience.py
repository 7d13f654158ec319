import pytest

from callboard.control.patience import SLACK_S, patience_s
from callboard.core.errors import NotFound
from helpers.declarations import declare, job

LINEAR = {"backoff": "linear"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"time_limit_ms": 30_000, "max_attempts": 1}, 30 + SLACK_S),
        ({"time_limit_ms": 30_000, "max_attempts": 3, "options": LINEAR}, 90 + 5 + 10 + SLACK_S),
        ({"time_limit_ms": None, "max_attempts": 1}, 600 + SLACK_S),
        ({"time_limit_ms": 30_000, "max_attempts": None}, 1000),
        ({"time_limit_ms": 600_000, "max_attempts": 21, "options": {}}, 1000),
        ({"time_limit_ms": 30_000, "max_attempts": 2, "options": {"backoff": "my own policy"}}, 1000),
        ({"time_limit_ms": 30_000, "max_attempts": 1, "options": {"backoff": "my own policy"}}, 30 + SLACK_S),
    ],
)
def test_a_caller_is_prepared_for_all_attempts_and_the_waits_between_them(context, engine, fields, expected):
    declare(engine, job("report", **fields))

    assert patience_s(context, "report", most_s=1000) == expected


def test_nobody_waits_for_an_unknown_job(context):
    with pytest.raises(NotFound):
        patience_s(context, "report", most_s=1000)
