"""Schedules that differ from environment to environment."""

import pytest

from callboard.core.cron import cron
from callboard.core.errors import BadSchedule

EACH = {"local": "*/5 * * * *", "dev": "*/10 * * * *", "uat": "*/15 * * * *"}


def test_the_expression_of_the_environment_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CALLBOARD_ENV", raising=False)
    assert cron(EACH).expr == "*/5 * * * *"
    for environment, expr in EACH.items():
        monkeypatch.setenv("CALLBOARD_ENV", environment)
        assert str(cron(EACH, tz="Europe/Paris")) == f"{expr} Europe/Paris"


def test_an_environment_that_has_no_expression_is_told_which_have_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CALLBOARD_ENV", "prod")
    with pytest.raises(BadSchedule, match="environment 'prod', only for local, dev, uat"):
        cron(EACH)


def test_a_wrong_expression_of_another_environment_is_found_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLBOARD_ENV", "local")
    with pytest.raises(BadSchedule, match="minute"):
        cron(EACH | {"uat": "77 * * * *"})
