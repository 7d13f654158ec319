"""Schedules that differ from environment to environment: local, dev, uat and whatever else there is."""

from collections.abc import Mapping

from callboard.core.cron_calendar import calendar
from callboard.core.errors import BadSchedule
from callboard.core.settings import load_settings


def expression_here(expressions: Mapping[str, str]) -> str:
    """The cron expression of the environment that the setting CALLBOARD_ENV names.

    All of them are read, so that a wrong one is found wherever the code first runs.

    Raises:
        BadSchedule: one is no cron expression, or there is none for this environment.
    """
    for expr in expressions.values():
        calendar(expr)
    here = load_settings().callboard_env
    if here not in expressions:
        known = ", ".join(expressions) or "none"
        raise BadSchedule(
            f"A schedule has no expression for the environment {here!r}, only for {known}; add one, or set"
            " CALLBOARD_ENV to one of these."
        )
    return expressions[here]
