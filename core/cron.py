"""When a schedule falls due.

`cron("0 8 * * *", tz="Europe/Paris")` is a value that knows its slots; a scheduler asks it for the next one.
It also speaks Periodiq's protocol (`validate`, `next_valid_date`, `__str__`), so that it may stand in an
actor's `periodic` option.

When the rules of its zone move the clock, no time that a schedule names is lost, and none runs twice:

- A time in a gap (02:30 when 02:00 becomes 03:00) runs once, right after the gap. Several run together, once.
- A time in a fold (02:30 when 03:00 becomes 02:00) runs once, when the clock shows it first.
- Wildcards follow elapsed time. A schedule of every minute or every n-th (`*`, `*/10`), or of every hour,
  runs in both passes through a fold; and one of every hour does not make up for what a gap swallows, as the
  next hour brings it. So hourly is every real hour, and every ten minutes every ten real minutes.
- Every n-th hour (`0 */2`) names its hours: twelve times, twelve runs, on each day.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from callboard.core.clock import as_utc
from callboard.core.cron_calendar import Calendar, calendar
from callboard.core.environments import expression_here
from callboard.core.errors import BadSchedule
from callboard.core.zones import SECOND, change, offsets, zone

_HOUR = timedelta(hours=1)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression in a time zone. Two are equal when their texts and zones are."""

    expr: str
    tz: str = "UTC"
    #: What operators and SQL know the schedule by; None: its job's name.
    name: str | None = field(default=None, repr=False, compare=False)
    _calendar: Calendar = field(init=False, repr=False, compare=False)
    _zone: ZoneInfo = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.expr, str):
            raise BadSchedule(
                f"A schedule is a text such as '0 8 * * *', not of type {type(self.expr).__name__}."
            )
        if not isinstance(self.tz, str):
            raise BadSchedule(
                f"A time zone is a name such as Europe/Paris, not of type {type(self.tz).__name__}."
            )
        if self.name is not None and not (isinstance(self.name, str) and _NAME.fullmatch(self.name)):
            raise BadSchedule(
                f"A schedule cannot be named {str(self.name)[:80]!r}; use up to 63 letters, digits, dots,"
                " dashes and _."
            )
        read = calendar(self.expr)
        object.__setattr__(self, "expr", read.text)
        object.__setattr__(self, "_calendar", read)
        object.__setattr__(self, "_zone", zone(self.tz))

    def next(self, after: datetime) -> datetime:
        """The first slot strictly after an aware time: aware, in UTC, whole seconds.

        Raises:
            BadSchedule: there is none before the year 9999.
        """
        found = self._next(after)
        if found is None:
            raise BadSchedule(f"The schedule '{self}' does not fire again after {after}.")
        return found

    def previous(self, before: datetime) -> datetime:
        """The last slot strictly before an aware time: aware, in UTC, whole seconds.

        Raises:
            BadSchedule: there is none after the year 1.
        """
        found = self._previous(before)
        if found is None:
            raise BadSchedule(f"The schedule '{self}' does not fire before {before}.")
        return found

    def between(self, start: datetime, end: datetime, limit: int | None = None) -> Iterator[datetime]:
        """The slots after `start` up to and including `end`, ascending; at most `limit` of them."""
        return islice(self._between(as_utc(start), as_utc(end)), limit)

    def validate(self, now: datetime) -> bool:
        """Whether a slot falls due in the second of `now` (Periodiq's protocol)."""
        second = as_utc(now).replace(microsecond=0)
        return self._next(second - SECOND) == second

    def next_valid_date(self, now: datetime) -> datetime:
        """The same as `next` (Periodiq's protocol)."""
        return self.next(now)

    def __str__(self) -> str:
        return self.expr if self.tz == "UTC" else f"{self.expr} {self.tz}"

    def __reduce__(self) -> tuple[type["Cron"], tuple[str, str, str | None]]:
        return Cron, (self.expr, self.tz, self.name)

    def _between(self, start: datetime, end: datetime) -> Iterator[datetime]:
        slot = self._next(start)
        while slot is not None and slot <= end:
            yield slot
            slot = self._next(slot)

    def _next(self, after: datetime) -> datetime | None:
        try:
            return self._first_after(as_utc(after))
        except OverflowError:
            # The years that datetime knows are over.
            return None

    def _previous(self, before: datetime) -> datetime | None:
        try:
            return self._last_before(as_utc(before))
        except OverflowError:
            return None

    def _first_after(self, after: datetime) -> datetime | None:
        local = after.astimezone(self._zone)
        reading = local.replace(tzinfo=None, fold=0)
        found = self._calendar.next(reading)
        if self._follows and local.fold == 0:
            # In the first pass through a fold, the second pass comes before whatever lies beyond the fold.
            early, late = offsets(reading, self._zone)
            if early > late:
                fold = change(reading, early, late, self._zone)
                if found is None or found >= fold.end:
                    again = self._calendar.next(fold.start - SECOND)
                    if again is not None and again < fold.end:
                        return _utc(again - late)
        while found is not None:
            early, late = offsets(found, self._zone)
            if early >= late:
                slot = _utc(found - early)
                if slot > after:
                    return slot
                if self._follows:
                    return _utc(found - late)
            gap_or_fold = change(found, early, late, self._zone)
            if early < late and not self._brought_by_next_hour(gap_or_fold.end):
                return gap_or_fold.at
            found = self._calendar.next(gap_or_fold.end - SECOND)
        return None

    def _last_before(self, before: datetime) -> datetime | None:
        local = before.astimezone(self._zone)
        reading = local.replace(tzinfo=None, fold=0)
        found = self._calendar.previous(reading)
        if local.fold == 1:
            early, late = offsets(reading, self._zone)
            fold = change(reading, early, late, self._zone)
            if not (self._follows and found is not None and found >= fold.start):
                found = self._calendar.previous(fold.end)
        while found is not None:
            early, late = offsets(found, self._zone)
            if early >= late:
                slot = _utc(found - late)
                return slot if self._follows and slot < before else _utc(found - early)
            gap = change(found, early, late, self._zone)
            if gap.at < before and not self._brought_by_next_hour(gap.end):
                return gap.at
            found = self._calendar.previous(gap.start)
        return None

    @property
    def _follows(self) -> bool:
        return self._calendar.every_minute or self._calendar.every_hour

    def _brought_by_next_hour(self, gap_end: datetime) -> bool:
        if not self._calendar.every_hour:
            return False
        found = self._calendar.next(gap_end - SECOND)
        return found is not None and found <= gap_end + _HOUR


def _utc(reading: datetime) -> datetime:
    return reading.replace(tzinfo=UTC)


def cron(expr: str | Mapping[str, str], tz: str | None = None, *, name: str | None = None) -> Cron:
    """A schedule from a cron expression and an IANA time zone (default: UTC).

    `expr` may be one for each environment, `{"local": "*/5 * * * *", "uat": "*/15 * * * *"}`: that of the
    setting CALLBOARD_ENV holds. `name` is what operators, and SQL, know the schedule by.

    Five fields (minute, hour, day of month, month, day of week), six with the second first, or `@hourly`,
    `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`, `@annually`. Names, ranges, steps and lists; `L`
    (the last day) and `LW` (the last weekday) in the day of month; `5L` (the last Friday) and `mon#2` (the
    second Monday) in the day of week. Where both day fields are restricted a day that matches either will do,
    but if one of them begins with `*` both must match, as in Vixie's cron.

    Raises:
        BadSchedule: one sentence that names the field, or the time zone, and what is wrong with it.
    """
    here = expression_here(expr) if isinstance(expr, Mapping) else expr
    return Cron(here, "UTC" if tz is None else tz, name)
