"""The days and months of a schedule in plain English."""

from cronsim import CronSim

from callboard.core.cron_calendar import Calendar
from callboard.core.words import joined, ordinal, ranges, step_between

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PLACES = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", CronSim.LAST: "last"}
_LAST_DAYS = {CronSim.LAST: "the last day", CronSim.LAST_WEEKDAY: "the last weekday"}


def days_in_words(when: Calendar, every_day: bool) -> str:
    """The days that match: "on day 1 of the month", "on Sunday in June", ", Monday to Friday".

    Where all days match, the answer is empty, or "every day" if that is asked for.
    """
    any_date = when.month_days >= set(range(1, 32))
    any_weekday = _plain_weekdays(when) == list(range(1, 8))
    if any_weekday and not any_date and when.both_days:
        return _dates(when, _months(when, "of"))
    if any_date and any_weekday:
        words = "every day" if every_day else ""
    elif any_date and when.both_days:
        words = _on(_weekdays(when, "and"))
    elif any_date or any_weekday:
        # Either will do, and one of them is all days.
        words = "every day" if every_day else ""
    elif when.both_days:
        words = f"{_dates(when, '')} if that is {_weekdays(when, 'or').removeprefix(', ')}"
    else:
        words = f"{_dates(when, '')} or {_on(_weekdays(when, 'and')).removeprefix(', ')}"
    return f"{words} {_months(when, 'in')}".rstrip() if words else _months(when, "in")


def _months(when: Calendar, word: str) -> str:
    """ "in June", "in June and July", "from May to August"; the other word for lists is the caller's."""
    if len(when.months) == 12:
        return ""
    items = ranges(when.months, lambda month: MONTHS[month - 1])
    return f"from {items[0]}" if len(items) == 1 and len(when.months) > 1 else f"{word} {joined(items)}"


def _dates(when: Calendar, months: str) -> str:
    numbers = sorted(day for day in when.month_days if day > 0)
    last = [words for value, words in _LAST_DAYS.items() if value in when.month_days]
    if len(numbers) == 1 and not last and len(when.months) == 1 and months:
        return f"on {numbers[0]} {months.removeprefix('of ')}"
    of = months if months.startswith("of ") else f"of the month {months}".rstrip()
    step = step_between(numbers)
    if len(numbers) > 4 and not last and step is not None and step > 1:
        end = "" if numbers[-1] + step > 31 else f" to day {numbers[-1]}"
        return f"on every {ordinal(step)} day {of} from day {numbers[0]}{end}"
    items = ranges(numbers)
    if items:
        items[0] = f"day{'s' if len(numbers) > 1 else ''} {items[0]}"
    return f"on {joined(items + last)} {of}"


def _plain_weekdays(when: Calendar) -> list[int]:
    return sorted({day or 7 for day in when.weekdays if isinstance(day, int)})


def _weekdays(when: Calendar, word: str) -> str:
    plain = _plain_weekdays(when)
    items = ranges(plain, WEEKDAYS.__getitem__)
    numbered = sorted(
        {(place, day or 7) for day, place in _pairs(when)}, key=lambda pair: (pair[0] < 0, *pair)
    )
    places = [f"the {_PLACES[place]} {WEEKDAYS[day]} of the month" for place, day in numbered]
    one_range = len(items) == 1 and len(plain) > 1 and not places
    return f", {items[0]}" if one_range else joined(items + places, word)


def _pairs(when: Calendar) -> list[tuple[int, int]]:
    return [pair for pair in when.weekdays if isinstance(pair, tuple)]


def _on(weekdays: str) -> str:
    return weekdays if weekdays.startswith(",") else f"on {weekdays}"
