"""Limits: who holds their slots, how many runs have begun within a minute, and how many wait."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from callboard.control.context import Context, reaching_redis
from callboard.storage.queries import Row
from callboard.storage.queries import limits as queries
from callboard.storage.recorder.batch import run_id_of

#: The most holders that are named of one limit.
MAX_HOLDERS: Final = 100
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
    with context.read() as connection:
        declared = list(_declared(queries.declared(connection)))
    known = {each.key for each in declared if not _KEY.search(each.key)}
    with reaching_redis():
        found = [_limit(context, key, declared) for key in sorted(known | set(_used(context)))]
    return tuple(sorted(found, key=lambda limit: (-limit.waiting, -limit.running, limit.key)))


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


def _limit(context: Context, key: str, declared: Sequence[Declared]) -> Limit:
    keys, client = context.keys, context.redis
    seconds, microseconds = client.time()
    now_ms = seconds * 1000 + microseconds // 1000
    with client.pipeline(transaction=False) as pipeline:
        pipeline.zcount(keys.slots(key), f"({now_ms}", "+inf")
        pipeline.zrangebyscore(keys.slots(key), f"({now_ms}", "+inf", start=0, num=MAX_HOLDERS)
        pipeline.hgetall(keys.rate(key))
        pipeline.llen(keys.lot(f"limit|{key}"))
        running, tokens, counted, waiting = pipeline.execute()
    of_it = [each for each in declared if each.fits(key)]
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


def _declared(rows: Sequence[Row]) -> Iterator[Declared]:
    for row in rows:
        for limit in row["limits"] if isinstance(row["limits"], list) else [row["limits"]]:
            if not isinstance(limit, Mapping):
                # A worker of another version has declared it
                continue
            key = limit.get("key") or row["name"]
            yield Declared(row["name"], key, limit.get("concurrent"), limit.get("per_minute"))
