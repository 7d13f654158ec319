"""A schedule in plain English, told from what it matches and not from how it is spelt.

So the words agree with the slots: `*/7` as day of week is Sunday, `0-59` is every minute, and two day fields
are joined by "or" or by "if", as they are matched.
"""

from callboard.core.cron import cron
from callboard.core.cron_calendar import Calendar, calendar
from callboard.core.describe_days import days_in_words
from callboard.core.words import joined, ordinal, ranges, step_between, step_from_zero

#: Up to so many times of day are listed; more are put as a rule.
LISTED_TIMES = 6


def describe(expr: str, tz: str | None = None) -> str:
    """What a schedule says: "Every 5 minutes", "At 08:00 every day (Europe/Paris)". UTC goes without saying.

    Raises:
        BadSchedule: one sentence that names the field, or the time zone, and what is wrong with it.
    """
    schedule = cron(expr, tz)
    when = calendar(schedule.expr)
    times, within_day = _times(when)
    days = days_in_words(when, every_day=within_day)
    words = f"{times} {days}".rstrip() if days[:1] != "," else times + days
    return words if schedule.tz == "UTC" else f"{words} ({schedule.tz})"


def _times(when: Calendar) -> tuple[str, bool]:
    """The times of day, and whether they leave open on which days (as "every 5 minutes" does not)."""
    whole_steps = _nth_hour(when)
    if when.seconds != [0]:
        if when.every_hour or not _few(when):
            return _by_second(when), not whole_steps
    elif when.minutes == [0] and whole_steps:
        return _each(whole_steps, "hour"), False
    elif when.every_hour:
        return _fraction(when.minutes, "minute", "hour"), False
    return (f"At {joined(_clock(when))}", True) if _few(when) else _by_minute(when)


def _nth_hour(when: Calendar) -> int | None:
    """The n, if it is every n-th hour right through the night."""
    step = step_from_zero(when.hours, 24)
    return step if step and 24 % step == 0 and len(when.hours) > 2 else None


def _few(when: Calendar) -> bool:
    return len(when.seconds) * len(when.minutes) * len(when.hours) <= LISTED_TIMES


def _clock(when: Calendar) -> list[str]:
    times = [f"{hour:02}:{minute:02}" for hour in when.hours for minute in when.minutes]
    if when.seconds == [0]:
        return times
    return [f"{time}:{second:02}" for time in times for second in when.seconds]


def _by_minute(when: Calendar) -> tuple[str, bool]:
    """Some minutes of some hours."""
    minutes, hours = when.minutes, when.hours
    step = step_from_zero(minutes, 60)
    if len(minutes) == 1 and (step_of_hours := step_between(hours)):
        each = _each(step_of_hours, "hour")
    elif len(hours) == 1 and (step_of_minutes := step_between(minutes)):
        each = _each(step_of_minutes, "minute")
    elif step and 60 % step == 0 and _in_a_row(hours):
        each = _each(step, "minute")
    else:
        return _fraction(minutes, "minute", "hour") + _hours(when), not _nth_hour(when)
    return f"{each} from {hours[0]:02}:{minutes[0]:02} to {hours[-1]:02}:{minutes[-1]:02}", True


def _by_second(when: Calendar) -> str:
    text = _fraction(when.seconds, "second", "minute")
    step = step_from_zero(when.minutes, 60)
    if step is None or 60 % step:
        some = joined(ranges(when.minutes))
        text += f" in minute{'s' if len(when.minutes) > 1 else ''} {some} of the hour"
    elif step > 1:
        text += f" in every {ordinal(step)} minute"
    return text + _hours(when)


def _hours(when: Calendar) -> str:
    hours = when.hours
    if when.every_hour:
        return ""
    if _in_a_row(hours):
        return f" between {hours[0]:02}:00 and {hours[-1]:02}:59"
    if step := _nth_hour(when):
        return f" in every {ordinal(step)} hour"
    return f" in the hours {joined(ranges(hours, lambda hour: f'{hour:02}'))}"


def _in_a_row(values: list[int]) -> bool:
    return values[-1] - values[0] == len(values) - 1


def _fraction(values: list[int], unit: str, whole: str) -> str:
    """Some minutes of an hour, or some seconds of a minute."""
    if values == [0]:
        return _each(1, whole)
    if step := step_from_zero(values, 60):
        return _each(step, unit) if 60 % step == 0 else f"{_each(step, unit)} from 0 past the {whole}"
    step = step_between(values)
    if step and (step == 1 or len(values) > 3):
        end = "" if values[-1] + step >= 60 else f" to {values[-1]}"
        return f"{_each(step, unit)} from {values[0]}{end} past the {whole}"
    return f"At {joined(ranges(values))} {unit}{'' if values == [1] else 's'} past the {whole}"


def _each(step: int, unit: str) -> str:
    return f"Every {unit}" if step == 1 else f"Every {step} {unit}s"
