"""Limits: who holds their slots, how many runs have begun within a minute, and how many wait."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final
from uuid import UUID

from callboard.control.context import Context, reaching_redis
from callboard.core.errors import NotFound
from callboard.storage.queries import Row
from callboard.storage.queries import limits as queries
from callboard.storage.recorder.batch import run_id_of

#: The most holders that are named of one limit.
MAX_HOLDERS: Final = 100
#: Of so many limits Redis is asked at a time.
BATCH: Final = 500
_KEY = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Limit:
    """One key of a limit: its bounds as the code declares them, None where there is none, and how it stands.

    `running` runs hold a slot now, `begun` have begun within the last minute, `waiting` are parked for it.
    `jobs` name it.
    """

    key: str
    concurrent: int | None
    per_minute: int | None
    jobs: tuple[str, ...]
    running: int
    begun: int
    waiting: int
    holders: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Declared:
    """What a job declares: a key with names of arguments in braces, and its bounds."""

    job: str
    key: str
    concurrent: int | None
    per_minute: int | None

    def fits(self, key: str) -> bool:
        """Whether a key may be this one, filled."""
        parts = _KEY.split(self.key)
        return re.fullmatch(".+".join(re.escape(part) for part in parts), key, re.DOTALL) is not None


def limits(context: Context) -> tuple[Limit, ...]:
    """All limits that are in use or have a key without arguments; those that runs wait for first.

    Raises:
        Unavailable: PostgreSQL or Redis does not answer.
    """
    declared = _declared(context)
    with reaching_redis():
        found = _standing(context, sorted({*_whole(declared), *_used(context)}), declared)
    return tuple(sorted(found, key=lambda limit: (-limit.waiting, -limit.running, limit.key)))


def limit(context: Context, key: str) -> Limit:
    """One limit, by its key with the arguments filled in.

    Raises:
        NotFound: no run holds it, has begun with it within a minute, or waits for it.
        Unavailable: PostgreSQL or Redis does not answer.
    """
    declared = _declared(context)
    with reaching_redis():
        (found,) = _standing(context, [key], declared)
    if not (found.running or found.begun or found.waiting or key in _whole(declared)):
        raise NotFound(f"There is no limit {key[:100]!r} that a run holds or waits for.")
    return found


def _used(context: Context) -> Iterator[str]:
    """The keys that anybody holds, has begun with, or waits for."""
    keys, client = context.keys, context.redis
    for start, kind in ((keys.slots(""), "zset"), (keys.rate(""), "hash")):
        pattern = re.sub(r"([\[\]?*\\^])", r"\\\1", start) + "*"
        for name in client.scan_iter(match=pattern, count=5_000, _type=kind):
            yield name.decode("utf-8", "replace").removeprefix(start)
    lots: Any = client.zrange(keys.lots, 0, -1)
    for lot in lots:
        kind, _, key = lot.decode("utf-8", "replace").partition("|")
        if kind == "limit":
            yield key


def _standing(context: Context, wanted: Sequence[str], declared: Sequence[Declared]) -> Iterator[Limit]:
    """How the limits of these keys stand, in their order."""
    keys, client = context.keys, context.redis
    for start in range(0, len(wanted), BATCH):
        some = wanted[start : start + BATCH]
        seconds, microseconds = client.time()
        now_ms = seconds * 1000 + microseconds // 1000
        with client.pipeline(transaction=False) as pipeline:
            for key in some:
                pipeline.zcount(keys.slots(key), f"({now_ms}", "+inf")
                pipeline.zrangebyscore(keys.slots(key), f"({now_ms}", "+inf", start=0, num=MAX_HOLDERS)
                pipeline.hgetall(keys.rate(key))
                pipeline.llen(keys.lot(f"limit|{key}"))
            replies = iter(pipeline.execute())
        for key in some:
            yield _limit(key, [each for each in declared if each.fits(key)], seconds, islice(replies, 4))


def _limit(key: str, of_it: Sequence[Declared], seconds: int, replies: Iterator[Any]) -> Limit:
    running, tokens, counted, waiting = replies
    concurrent = [each.concurrent for each in of_it if each.concurrent]
    per_minute = [each.per_minute for each in of_it if each.per_minute]
    return Limit(
        key=key,
        concurrent=min(concurrent, default=None),
        per_minute=min(per_minute, default=None),
        jobs=tuple(each.job for each in of_it),
        running=running,
        begun=sum(int(number) for second, number in counted.items() if int(second) >= seconds - 60),
        waiting=waiting,
        holders=tuple(UUID(run_id_of({"id": token.decode().rpartition(":")[0]})) for token in tokens),
    )


def _whole(declared: Sequence[Declared]) -> set[str]:
    """The keys that have no arguments."""
    return {each.key for each in declared if not _KEY.search(each.key)}


def _declared(context: Context) -> list[Declared]:
    with context.read() as connection:
        return list(_parsed(queries.declared(connection)))


def _parsed(rows: Sequence[Row]) -> Iterator[Declared]:
    for row in rows:
        for limit in row["limits"] if isinstance(row["limits"], list) else [row["limits"]]:
            if not isinstance(limit, Mapping):
                # A worker of another version has declared it
                continue
            key = limit.get("key") or row["name"]
            yield Declared(row["name"], key, limit.get("concurrent"), limit.get("per_minute"))
