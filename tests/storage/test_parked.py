"""What holds runs back is told by the lots that their messages lie in."""

from datetime import UTC, datetime
from typing import Any

from callboard.core.health import Held
from callboard.storage.parked import list_held

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
MS = round(AT.timestamp() * 1000)


def test_what_holds_runs_back_is_told_by_queue(broker: Any) -> None:
    client, keys = broker.client, broker.keys
    lots = {
        "pause|job:sync": ["mail 1", "mail 2"],
        "limit|tenant:7": [*(f"mail {number}" for number in range(50)), *(f"bulk {n}" for n in range(150))],
        "mutex|one": [],
        "breaker|smtp": ["mail 3"],
        "breaker|sms": ["mail 4"],
        "riddle|": ["mail 5"],
    }
    for lot, messages in lots.items():
        client.zadd(keys.lots, {lot: 0})
        if messages:
            client.rpush(keys.lot(lot), *messages)
    client.hset(keys.control, "paused:job:sync", f'{{"reason": "tea", "at": {MS}}}')
    client.hset(keys.breaker("smtp"), mapping={"state": "open", "opened_at": MS})
    client.hset(keys.breaker("sms"), mapping={"state": "half_open", "opened_at": MS})

    found = list_held(client, keys)

    # Of a long lot the first hundred messages stand for all
    assert sorted(found["mail"], key=lambda each: each.cause) == [
        Held("breaker", "smtp", 1, AT),
        Held("limit", "tenant:7", 100),
        Held("pause", "sync", 2, AT),
    ]
    assert found["bulk"] == [Held("limit", "tenant:7", 100)]


def test_what_cannot_be_read_of_a_pause_or_breaker_is_not_known(broker: Any) -> None:
    client, keys = broker.client, broker.keys
    for lot in ("pause|job:a", "breaker|b"):
        client.zadd(keys.lots, {lot: 0})
        client.rpush(keys.lot(lot), "mail 1")
    client.hset(keys.control, "paused:job:a", "[1]")
    client.hset(keys.breaker("b"), mapping={"state": "open", "opened_at": "tea"})

    assert [each.since for each in list_held(client, keys)["mail"]] == [None, None]
