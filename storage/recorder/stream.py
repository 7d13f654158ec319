"""Reads the event stream from where PostgreSQL says that it was left."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import redis

from callboard.core.logging import get_logger
from callboard.core.plain import plain

#: Entries read at once. A worker puts up to some hundreds of events into one.
ENTRIES = 100

START = "0-0"

log = get_logger("callboard.recorder")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the stream: what one group commit of one worker wrote."""

    id: str
    events: list[dict[str, Any]]


class EventStream:
    """The stream of one namespace."""

    def __init__(self, client: redis.Redis, key: str) -> None:
        self._client = client
        self.key = key

    def read(self, after: str, block_ms: int) -> list[Entry]:
        """The entries after a position, oldest first; waits for one for `block_ms` where there is none."""
        answer: Any = self._client.xread({self.key: after}, count=ENTRIES, block=block_ms)
        found = answer.values() if isinstance(answer, dict) else [entries for _, entries in answer or []]
        return list(_entries(found))

    def forget(self, until: str) -> None:
        """Remove the entries up to and including a position."""
        milliseconds, _, number = until.partition("-")
        self._client.xtrim(self.key, minid=f"{milliseconds}-{int(number) + 1}", approximate=False)

    def is_behind(self, position: str) -> bool:
        """Whether the stream has begun anew, with ids lower than a position reached before."""
        try:
            last = self._client.xinfo_stream(self.key)["last-generated-id"]
        except redis.ResponseError:
            return False
        return _key(last.decode() if isinstance(last, bytes) else last) < _key(position)


def _entries(found: Any) -> Iterator[Entry]:
    for entries in found:
        for entry_id, fields in _pairs(entries):
            yield Entry(entry_id.decode(), decode(fields.get(b"e", b"[]")))


def _pairs(entries: Any) -> Any:
    # RESP3 wraps the list of entries in another.
    if len(entries) == 1 and isinstance(entries[0], list):
        return entries[0]
    return entries


def decode(raw: bytes) -> list[dict[str, Any]]:
    """The events of one entry, with nothing in them that PostgreSQL cannot store."""
    try:
        events = orjson.loads(raw.replace(b"\\u0000", b"\\ufffd"))
    except ValueError:
        try:
            events = plain(json.loads(raw.decode("utf-8", "replace")))
        except (ValueError, RecursionError):
            events = None
    if not isinstance(events, list):
        log.error("An entry of the stream holds no events.", action="entry_refused", entry=repr(raw[:200]))
        return []
    return events


def _key(entry_id: str) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number or 0)
