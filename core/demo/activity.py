"""The portal, videos, the game platform, an external service, and the air."""

from datetime import timedelta
from typing import Any

from callboard.core.demo.rows import DAYS, Ground, Rows, uuid

PLACES = (
    ("paris", "Paris", 48.8566, 2.3522, "Europe/Paris"),
    ("lyon", "Lyon", 45.764, 4.8357, "Europe/Paris"),
    ("london", "London", 51.5074, -0.1278, "Europe/London"),
    ("berlin", "Berlin", 52.52, 13.405, "Europe/Berlin"),
    ("madrid", "Madrid", 40.4168, -3.7038, "Europe/Madrid"),
    ("new-york", "New York", 40.7128, -74.006, "America/New_York"),
    ("delhi", "Delhi", 28.6139, 77.209, "Asia/Kolkata"),
    ("tokyo", "Tokyo", 35.6762, 139.6503, "Asia/Tokyo"),
    ("sydney", "Sydney", -33.8688, 151.2093, "Australia/Sydney"),
)
KINDS = ("view", "view", "view", "download", "booking", "payment")


def activity(ground: Ground) -> list[Rows]:
    """What happens without anything being sent."""
    return [*_portal(ground), *_platform(ground), *_services(ground), *_air(ground)]


def _portal(ground: Ground) -> list[Rows]:
    chance = ground.chance("portal")
    sessions: list[tuple[Any, ...]] = []
    events: list[tuple[Any, ...]] = []
    for _ in range(ground.customers):
        key, customer, at = uuid(chance), chance.randint(1, ground.customers), ground.ago(chance)
        sessions.append((key, customer, at, at + timedelta(days=14)))
        events.append((customer, key, "login", "/login", at))
        for number in range(chance.randint(1, 5)):
            kind = chance.choice(KINDS)
            events.append((customer, key, kind, f"/{kind}", at + timedelta(seconds=30 * number)))
    return [
        Rows("sessions", ("id", "customer_id", "created_at", "expires_at"), sessions),
        Rows("portal_events", ("customer_id", "session_id", "kind", "path", "at"), events),
    ]


def _platform(ground: Ground) -> list[Rows]:
    chance = ground.chance("platform")
    coaches = [(uuid(chance), f"Coach {n}", f"coach{n}@example.com") for n in range(1, 6)]
    competitors: list[tuple[Any, ...]] = []
    solves: list[tuple[Any, ...]] = []
    totals: list[tuple[Any, ...]] = []
    for number in range(1, max(10, ground.customers // 20) + 1):
        key = uuid(chance)
        address, flagged = f"competitor{number}@example.com", number % 5 == 0
        competitors.append(
            (key, chance.choice(coaches)[0], f"Competitor {number}", address, f"demo-{number}", flagged)
        )
        points = [chance.choice((10, 20, 50, 100)) for _ in range(chance.randint(1, 12))]
        for turn, worth in enumerate(points):
            name = f"challenge-{chance.randint(1, 60)}"
            solves.append((key, f"demo-{number}-{turn}", name, "web", worth, ground.ago(chance)))
        totals.append((key, len(points), sum(points)))
    columns = ("id", "coach_id", "name", "email", "platform_id", "needs_totals_refresh")
    told = ("competitor_id", "solve_id", "challenge", "category", "points", "solved_at")
    return [
        Rows("profiles", ("id", "name", "email"), coaches),
        Rows("competitors", columns, competitors),
        Rows("challenge_solves", told, solves),
        Rows("competitor_totals", ("competitor_id", "solves", "points"), totals),
    ]


def _services(ground: Ground) -> list[Rows]:
    chance = ground.chance("services")
    videos = [
        (f"demo-{n}", f"Video {n}", "queued" if n % 2 else "ready", ground.ago(chance, 3))
        for n in range(1, 41)
    ]
    records = [(f"demo-{n}", f'{{"name": "Record {n}"}}', ground.ago(chance)) for n in range(1, 201)]
    return [
        Rows("streamings", ("external_id", "title", "status", "created_at"), videos),
        Rows("external_records", ("external_id", "data", "changed_at"), records),
    ]


def _air(ground: Ground) -> list[Rows]:
    chance = ground.chance("air")
    places = [(n, *place) for n, place in enumerate(PLACES, 1)]
    rows = []
    for number, *_ in places:
        base = chance.uniform(6, 30)
        for hour in range(DAYS * 24):
            fine = round(max(1.0, base + chance.gauss(0, base / 4)), 1)
            at = ground.now - timedelta(hours=hour)
            rows.append((number, at, fine, round(fine * 1.6, 1), round(chance.uniform(20, 90), 1)))
    return [
        Rows("locations", ("id", "slug", "name", "latitude", "longitude", "time_zone"), places),
        Rows("measurements", ("location_id", "measured_at", "pm2_5", "pm10", "o3"), rows),
    ]
