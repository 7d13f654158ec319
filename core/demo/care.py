"""Alerts of bad air and bad reviews, and what the monthly cleanups are there for.

They are marked with `demo`, since they stand in tables that Callboard shares with the real world.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from callboard.core.aqi.us import UNHEALTHY, category
from callboard.core.demo.air import PLACES, Day
from callboard.core.demo.reviews import Request
from callboard.core.demo.rows import DAYS, Ground, Rows, soon

CALLBOARD = "callboard"
#: From this index on an alert is critical.
CRITICAL = 201


def care_rows(ground: Ground, requests: Sequence[Request], days: Sequence[Day]) -> list[Rows]:
    """The tables. All alerts are resolved: those that are not, jobs open by themselves."""
    alerts = sorted(
        [*_of_reviews(ground, requests), *_of_air(days), *_before(ground)], key=lambda row: row[:2]
    )
    columns = ("opened_at", "resolved_at", "kind", "severity", "subject", "message", "details")
    checks = ("checked_at", "status", "duration_ms", "checks")
    return [
        Rows("alerts", columns, alerts, CALLBOARD),
        Rows("uptime_checks", checks, list(_checks(ground)), CALLBOARD),
    ]


def _alert(opened: Any, resolved: Any, kind: str, severity: str, subject: str, words: str) -> tuple[Any, ...]:
    return opened, resolved, kind, severity, subject, words, json.dumps({"demo": True})


def _of_reviews(ground: Ground, requests: Sequence[Request]) -> Iterator[tuple[Any, ...]]:
    chance = ground.chance("alerts")
    for each in requests:
        if each.escalated_at is not None:
            resolved = min(each.escalated_at + soon(chance, days=2), ground.now - timedelta(minutes=1))
            words = f"{each.job.customer.name} has rated “{each.job.title}” {each.rating} of 5"
            yield _alert(each.escalated_at, resolved, "review", "warning", f"review:{each.id}", words)


def _of_air(days: Sequence[Day]) -> Iterator[tuple[Any, ...]]:
    """An alert from the first bad day to the first better one, if that has come."""
    for number, (slug, name, *_) in enumerate(PLACES, 1):
        bad: Day | None = None
        for day in sorted((each for each in days if each.place == number), key=lambda each: each.day):
            us = day.worst.us
            if us >= UNHEALTHY:
                bad = bad or day
            elif bad is not None:
                top = bad.worst
                words = f"The air of {name} was {category(top.us)} on {bad.day}"
                words += f": US AQI {top.us}, from {top.dominant}."
                severity = "critical" if top.us >= CRITICAL else "warning"
                yield _alert(bad.finalised_at, day.finalised_at, "air_quality", severity, slug, words)
                bad = None


def _before(ground: Ground) -> Iterator[tuple[Any, ...]]:
    """Alerts that were resolved so long ago that the cleanup removes them."""
    for number in range(6):
        resolved = ground.start - timedelta(days=1 + number)
        words = "The air of Delhi was Unhealthy: US AQI 163, from pm2_5."
        yield _alert(resolved - timedelta(hours=20), resolved, "air_quality", "warning", "delhi", words)


def _checks(ground: Ground) -> Iterator[tuple[Any, ...]]:
    """Entries of the uptime log that are so old that the cleanup removes them."""
    chance = ground.chance("uptime_checks")
    for number in range(28):
        at = ground.now - timedelta(days=DAYS, hours=6 * (number + 1))
        status = "degraded" if number == 11 else "healthy"
        yield at, status, chance.randint(8, 60), json.dumps({"demo": True})
