"""Videos at a streaming provider, and records of an external service."""

import json
from datetime import timedelta
from typing import Any

from callboard.core.demo.rows import Ground, Rows, soon

VIDEOS, RECORDS = 60, 240
KINDS = ("Filter", "Pump", "Valve", "Hose", "Gauge", "Boiler", "Sensor", "Bracket")
NOT_A_VIDEO = "ERR_NON_VIDEO: The file was not recognized as a valid video file."


def service_rows(ground: Ground) -> list[Rows]:
    """The tables. One video in four was uploaded just now, and nobody has asked for it yet."""
    return [_videos(ground), _records(ground)]


def _videos(ground: Ground) -> Rows:
    chance, rows = ground.chance("streamings"), list[tuple[Any, ...]]()
    for number in range(1, VIDEOS + 1):
        key, title = f"{chance.getrandbits(128):032x}", f"{chance.choice(KINDS)}: how to, part {number}"
        if number > VIDEOS * 3 // 4:
            made = ground.now - timedelta(minutes=5) + timedelta(seconds=5 * (number - VIDEOS * 3 // 4))
            rows.append((number, key, title, "queued", None, None, made, None))
            continue
        made = ground.start + (ground.now - ground.start - timedelta(hours=1)) * (number / VIDEOS)
        checked = made + soon(chance, minutes=9)
        broken = number % 15 == 0
        status, error = ("error", NOT_A_VIDEO) if broken else ("ready", None)
        duration = None if broken else round(chance.uniform(20, 3_600), 1)
        rows.append((number, key, title, status, duration, error, made, checked))
    columns = ("id", "external_id", "title", "status", "duration", "error", "created_at", "checked_at")
    return Rows("streamings", columns, rows)


def _records(ground: Ground) -> Rows:
    chance, rows = ground.chance("external_records"), list[tuple[Any, ...]]()
    for number in range(RECORDS):
        # Older than what a first synchronisation asks for, which therefore changes some.
        changed = ground.between(chance, ground.start, ground.now - timedelta(days=31))
        data = {
            "name": f"{chance.choice(KINDS)} {number}",
            "price_cents": 500 + chance.randrange(50_000),
            "stock": chance.randrange(200),
        }
        deleted = changed if number % 20 == 0 else None
        synced = changed + soon(chance, hours=6)
        rows.append((f"product-{number:05}", json.dumps(data), changed, synced, deleted))
    return Rows("external_records", ("external_id", "data", "changed_at", "synced_at", "deleted_at"), rows)
