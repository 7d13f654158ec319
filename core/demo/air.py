"""The air of places: what was measured hour by hour, and what the jobs have made of it."""

import json
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from callboard.core.aqi import POLLUTANTS, eu_aqi, us_aqi
from callboard.core.demo.rows import DAYS, Ground, Rows, daily

#: The place, and by how much its air is worse than an ordinary one's.
PLACES = (
    ("paris", "Paris", 48.8566, 2.3522, "Europe/Paris", 1.0),
    ("lyon", "Lyon", 45.764, 4.8357, "Europe/Paris", 1.1),
    ("london", "London", 51.5074, -0.1278, "Europe/London", 0.9),
    ("berlin", "Berlin", 52.52, 13.405, "Europe/Berlin", 0.9),
    ("madrid", "Madrid", 40.4168, -3.7038, "Europe/Madrid", 1.0),
    ("new-york", "New York", 40.7128, -74.006, "America/New_York", 0.8),
    ("delhi", "Delhi", 28.6139, 77.209, "Asia/Kolkata", 5.5),
    ("tokyo", "Tokyo", 35.6762, 139.6503, "Asia/Tokyo", 0.9),
    ("sydney", "Sydney", -33.8688, 151.2093, "Australia/Sydney", 0.5),
)
#: Micrograms a cubic metre of an ordinary day, and how much rush hours and sunshine add to them.
ORDINARY = {
    "pm2_5": (11.0, 0.5, 0.0),
    "pm10": (18.0, 0.6, 0.0),
    "o3": (45.0, -0.3, 1.0),
    "no2": (22.0, 1.1, -0.3),
    "so2": (4.0, 0.2, 0.1),
    "co": (210.0, 0.8, 0.0),
}
#: Ozone is made by the sun, and not by whatever makes the rest of a place's air bad.
CLEAN = ("o3",)


@dataclass(frozen=True, slots=True)
class Hour:
    """What was measured at a place at a moment, and the indices of it."""

    at: datetime
    day: date
    values: dict[str, float]
    us: int
    eu: int
    dominant: str


@dataclass(frozen=True, slots=True)
class Day:
    """A place's day that is over, with its hours, and when it was finalised."""

    place: int
    day: date
    hours: Sequence[Hour]
    finalised_at: datetime

    @property
    def worst(self) -> Hour:
        """The first hour with the highest index."""
        return max(self.hours, key=lambda hour: hour.us)


def measure(ground: Ground) -> dict[int, list[Hour]]:
    """The hours of each place up to the last but one; the last is measured after the end of the data."""
    chance = ground.chance("air")
    return {number: _hours(ground, chance, zone, bad) for number, (*_, zone, bad) in enumerate(PLACES, 1)}


def _hours(ground: Ground, chance: Random, zone: str, bad: float) -> list[Hour]:
    there, found = ZoneInfo(zone), []
    past: deque[dict[str, float]] = deque(maxlen=24)
    weather = 0.0
    for number in range(DAYS * 24):
        at = ground.start + timedelta(hours=number)
        clock = at.astimezone(there)
        # The weather of an hour is much like that of the hour before.
        weather = 0.985 * weather + chance.gauss(0, 0.06)
        rush = _bump(clock.hour, 8) + _bump(clock.hour, 18)
        sun = _bump(clock.hour, 15, 4)
        values = {
            name: round(
                ordinary
                * (1.0 if name in CLEAN else bad)
                * math.exp(weather + chance.gauss(0, 0.05))
                * max(0.1, 1 + by_rush * rush + by_sun * sun),
                1,
            )
            for name, (ordinary, by_rush, by_sun) in ORDINARY.items()
        }
        past.append(values)
        found.append(_judged(at, clock.date(), values, past))
    return found


def _judged(at: datetime, day: date, values: dict[str, float], past: Sequence[dict[str, float]]) -> Hour:
    """With its indices, of the means of 24 and of 8 hours, as the jobs reckon them."""
    hours, eight = list(past), list(past)[-8:]
    means = values | {name: sum(h[name] for h in hours) / len(hours) for name in ("pm2_5", "pm10")}
    means |= {name: sum(h[name] for h in eight) / len(eight) for name in ("o3", "co")}
    so2 = sum(h["so2"] for h in hours) / len(hours)
    us, eu = us_aqi(means, o3_1h=values["o3"], so2_24h=so2), eu_aqi(values)
    if us is None or eu is None:
        raise ValueError("Something was measured, so there are indices.")
    return Hour(at, day, values, us.value, eu.value, us.dominant)


def _bump(hour: int, middle: float, width: float = 2.0) -> float:
    apart = abs((hour - middle + 12) % 24 - 12)
    return math.exp(-((apart / width) ** 2))


def finalise(ground: Ground, hours: dict[int, list[Hour]]) -> list[Day]:
    """The days that the runs at 23:59 (UTC) have finalised, all but the last run."""
    last_run, days = ground.now - timedelta(days=1, minutes=1), []
    for number, (*_, zone, _bad) in enumerate(PLACES, 1):
        by_day: dict[date, list[Hour]] = {}
        for hour in hours[number]:
            by_day.setdefault(hour.day, []).append(hour)
        for day, measured in by_day.items():
            ends = datetime.combine(day + timedelta(days=1), datetime.min.time(), ZoneInfo(zone))
            run = daily(ends.astimezone(ground.now.tzinfo) - timedelta(minutes=1), 23, 59)
            if run <= last_run:
                days.append(Day(number, day, measured, run))
    return days


def air_rows(ground: Ground, hours: dict[int, list[Hour]], days: Sequence[Day]) -> list[Rows]:
    """The tables, and the reports of the last days."""
    places = [(number, *place) for number, (*place, _bad) in enumerate(PLACES, 1)]
    minute = timedelta(minutes=1)
    measured = [
        (number, hour.at, *hour.values.values(), hour.us, hour.eu, hour.dominant, hour.at + minute)
        for number, found in hours.items()
        for hour in found
    ]
    run = ground.now - timedelta(hours=1)
    current = []
    for number, found in hours.items():
        today = run.astimezone(ZoneInfo(PLACES[number - 1][4])).date()
        so_far = [hour for hour in found if hour.day == today and hour.at < run]
        if so_far:
            current.append((number, today, *_figures(so_far), run))
    final = [(day.place, day.day, *_figures(day.hours), day.finalised_at, day.finalised_at) for day in days]
    figures = (
        *("measurements", *(f"{name}_mean" for name in POLLUTANTS), *(f"{name}_max" for name in POLLUTANTS)),
        *("us_aqi_mean", "us_aqi_max", "eu_aqi_max", "dominant", "computed_at"),
    )
    indices = ("us_aqi", "eu_aqi", "dominant", "fetched_at")
    return [
        Rows("locations", ("id", "slug", "name", "latitude", "longitude", "time_zone"), places),
        Rows("measurements", ("location_id", "measured_at", *POLLUTANTS, *indices), measured),
        Rows("current_day_aggregates", ("location_id", "day", *figures), current),
        Rows("daily_statistics", ("location_id", "day", *figures, "finalised_at"), final),
        _reports(ground, days),
    ]


def _figures(hours: Sequence[Hour]) -> tuple[Any, ...]:
    values = {name: [hour.values[name] for hour in hours] for name in POLLUTANTS}
    indices = [hour.us for hour in hours]
    worst = max(hours, key=lambda hour: hour.us)
    return (
        len(hours),
        *(sum(values[name]) / len(hours) for name in POLLUTANTS),
        *(max(values[name]) for name in POLLUTANTS),
        *(sum(indices) / len(hours), max(indices), max(hour.eu for hour in hours), worst.dominant),
    )


def _reports(ground: Ground, days: Sequence[Day], most: int = 30) -> Rows:
    rows = []
    by_day: dict[date, list[Day]] = {}
    for day in days:
        if day.day >= ground.today - timedelta(days=most):
            by_day.setdefault(day.day, []).append(day)
    for of, places in sorted(by_day.items()):
        worst = max(places, key=lambda day: day.worst.us)
        content = {
            "day": str(of),
            "places": len(places),
            "measurements": sum(len(day.hours) for day in places),
            "us_aqi_max": worst.worst.us,
            "worst": PLACES[worst.place - 1][0],
            "by_place": {PLACES[day.place - 1][0]: _report(day) for day in places},
        }
        made = max(day.finalised_at for day in places)
        rows.append(("air-quality", str(of), json.dumps(content), made))
    return Rows("reports", ("kind", "day", "content", "made_at"), rows)


def _report(day: Day) -> dict[str, Any]:
    def mean(values: Sequence[float]) -> float:
        return round(sum(values) / len(values), 1)

    return {
        "name": PLACES[day.place - 1][1],
        "measurements": len(day.hours),
        "us_aqi_mean": mean([hour.us for hour in day.hours]),
        "us_aqi_max": day.worst.us,
        "eu_aqi_max": max(hour.eu for hour in day.hours),
        "dominant": day.worst.dominant,
        "pm2_5_mean": mean([hour.values["pm2_5"] for hour in day.hours]),
        "pm10_mean": mean([hour.values["pm10"] for hour in day.hours]),
    }
