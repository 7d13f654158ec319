"""Where a broker's Redis is, from what Dramatiq's own broker takes."""

from typing import Any

from callboard.core.errors import BadInput

#: What `dramatiq.brokers.redis.RedisBroker` takes and ours does not, and what to do instead.
REFUSED = {
    "client": "pass the url, or host, port and db, since it makes its own connections",
    "connection_pool": "pass the url, or host, port and db, since it makes its own connections",
    "dead_message_ttl": "dead letters are kept for CALLBOARD_DEAD_LETTER_DAYS",
    "maintenance_chance": "leave it out, since workers clean up by themselves",
}


def find_redis(url: str | None, parameters: dict[str, Any]) -> str:
    """The URL of the Redis that is meant; takes what it is made of out of the parameters.

    Raises:
        BadInput: a parameter is one that only Dramatiq's broker takes.
    """
    for name, advice in REFUSED.items():
        if name in parameters:
            raise BadInput(f"callboard.Broker takes no {name}; {advice}.")
    host, port, db = (parameters.pop(name, None) for name in ("host", "port", "db"))
    if url is not None:
        return url
    host = host or "127.0.0.1"
    return f"redis://{f'[{host}]' if ':' in host else host}:{port or 6379}/{db or 0}"
