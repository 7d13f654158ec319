"""Pauses, breakers, limits and messages that wait, for pages that show them."""

import time
import uuid

from redis import Redis

from callboard.control.actions.pauses import pause
from callboard.control.auth import Principal, Role
from callboard.control.context import Context
from callboard.core.keys import Keys

OTTO = Principal("otto", Role.OPERATOR, "panel", "10.0.0.2")


def hold_back(context: Context) -> None:
    """Pause a job, open a breaker, and let messages wait."""
    pause(context, OTTO, "job", "process-referrals", reason="The partner's API is being moved")
    fill_redis(context.redis, context.keys)


def fill_redis(client: Redis, keys: Keys) -> None:
    """Three breakers, one of each state, two limits, and some messages of the queue `default`."""
    now = time.time() * 1000
    hold_limits(client, keys, now)
    client.sadd(keys.breakers, "whatsapp", "cloudflare-stream", "smtp")
    opened = {
        "opened_at": now - 95_000,
        "cause": "ConnectTimeout: no answer within 10 s",
    }
    client.hset(keys.breaker("whatsapp"), mapping={"state": "open", "until": now + 205_000, **opened})
    half_open = {"opened_at": now - 310_000, "cause": "HTTPStatusError: 503 Service Unavailable"}
    client.hset(keys.breaker("cloudflare-stream"), mapping={"state": "half_open", **half_open})
    client.hset(keys.breaker("smtp"), mapping={"failures": 2})
    client.rpush(keys.lot("breaker|whatsapp"), *(f"default waiting-{number}" for number in range(37)))
    client.hset(keys.parked, "default", 49)
    client.rpush(keys.queue("default"), *(f"message-{number}" for number in range(7)))
    client.rpush(keys.queue("default.DQ"), *(f"delayed-{number}" for number in range(16)))


def hold_limits(client: Redis, keys: Keys, now: float) -> None:
    """One limit that is used up and waited for, and one that is not."""
    for key, running, begun, waiting in (("tenant:acme", 4, 238, 12), ("tenant:globex", 1, 31, 0)):
        slots = {f"{uuid.uuid4()}:{number}": now + 600_000 for number in range(running)}
        client.zadd(keys.slots(key), slots)
        client.hset(keys.rate(key), str(int(now / 1000)), begun)
        if waiting:
            client.zadd(keys.lots, {f"limit|{key}": now})
            client.rpush(keys.lot(f"limit|{key}"), *(f"default held-{number}" for number in range(waiting)))
