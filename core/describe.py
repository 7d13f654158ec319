"""A schedule in plain English."""

from cron_descriptor import (  # type: ignore[import-untyped]
    CasingTypeEnum,
    ExpressionDescriptor,
    Options,
)

from callboard.core.cron import cron
from callboard.core.cron_calendar import calendar


def describe(expr: str, tz: str | None = None) -> str:
    """What the schedule says, in words: "Every 5 minutes", "At 08:00 (Europe/Paris)".

    Raises:
        BadSchedule: one sentence that names the field, or the time zone, and what is wrong with it.
    """
    schedule = cron(expr, tz)
    options = Options()
    options.use_24hour_time_format = True
    options.casing_type = CasingTypeEnum.Sentence
    words = str(
        ExpressionDescriptor(" ".join(calendar(schedule.expr).fields), options).get_full_description()
    )
    return words if schedule.tz == "UTC" else f"{words} ({schedule.tz})"
