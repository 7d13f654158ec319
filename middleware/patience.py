"""Waiting in Redis for longer than a client waits for an answer."""

import math
from collections.abc import Iterator

import redis


def spans(client: redis.Redis, seconds: float) -> Iterator[float]:
    """The spans (s) in which to block one after the other, to wait for `seconds` in all.

    A client takes silence for a lost connection after its socket timeout, even if it has itself asked to be
    answered later.
    """
    limit = client.connection_pool.connection_kwargs.get("socket_timeout")
    # A server may itself be late by some tenths of a second.
    longest = max(limit / 2, limit - 1) if limit else math.inf
    while seconds > 0:
        yield min(seconds, longest)
        seconds -= longest
