"""Random cron expressions, and a second opinion on them from croniter."""

# ruff: noqa: DTZ001 - croniter is asked about naive times, which is what a clock shows

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from croniter import croniter
from hypothesis import strategies as st

FIELDS = {
    "second": (0, 59, ()),
    "minute": (0, 59, ()),
    "hour": (0, 23, ()),
    "day of month": (1, 31, ()),
    "month": (1, 12, ("jan", "FEB", "Mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "DEC")),
    "day of week": (0, 7, ("sun", "MON", "Tue", "wed", "thu", "fri", "sat", "Sun")),
}

#: Between the years that the schedules of our users lie in.
moments = st.datetimes(datetime(2000, 1, 1), datetime(2040, 12, 31)).map(lambda at: at.replace(microsecond=0))


@st.composite
def terms(draw: st.DrawFn, field: str) -> str:
    """One term of a list that is no wildcard: a value or range, by number or name, perhaps with a step."""
    low, high, names = FIELDS[field]
    first = draw(st.integers(low, high))
    # croniter takes 4-4 for the whole field.
    last = draw(st.none() | st.integers(first + 1, high)) if first < high else None
    step = draw(st.none() | st.integers(1, high - low + 1))

    def show(value: int) -> str:
        # croniter reads sun as 0 at the end of a range with a step, and as the 7th day without one.
        by_name = names and draw(st.booleans()) and not (field == "day of week" and value in (0, 7))
        return str(names[value - low]) if by_name else str(value)

    text = show(first) if last is None else f"{show(first)}-{show(last)}"
    if step is None or (last is None and draw(st.booleans())):
        return text
    # croniter takes no step after a bare name or the highest value, and ends the week before the 7th day.
    if last is None:
        return text if field == "day of week" or first == high else f"{first}/{step}"
    return f"{text}/{step}"


@st.composite
def fields(draw: st.DrawFn, field: str) -> str:
    """One field: a wildcard with or without a step, or a list of one to three terms."""
    low, high, _ = FIELDS[field]
    kind = draw(st.integers(0, 5))
    if kind < 2:
        return "*"
    if kind == 2:
        return f"*/{draw(st.integers(1, high - low + 1))}"
    return ",".join(draw(st.lists(terms(field), min_size=1, max_size=3)))


@st.composite
def expressions(draw: st.DrawFn, seconds: bool | None = None) -> str:
    """An expression of five fields or six."""
    six = draw(st.booleans()) if seconds is None else seconds
    names = list(FIELDS)[0 if six else 1 :]
    return " ".join(draw(fields(name)) for name in names)


def second_opinion(expr: str, at: datetime) -> Any:
    """croniter's iterator from a naive time on, with Vixie's rule for two day fields as is ours."""
    return croniter(
        expr,
        at,
        ret_type=datetime,
        second_at_beginning=True,
        implement_cron_bug=True,
        max_years_between_matches=100,
    )


def matches(expr: str, start: datetime, end: datetime) -> Iterator[datetime]:
    """The naive times from `start` to `end`, both included, that croniter says match."""
    found = second_opinion(expr, start - timedelta(seconds=1))
    at = found.get_next()
    while at <= end:
        yield at
        at = found.get_next()
