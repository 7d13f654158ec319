"""The fleet: every process of the system, what it says of itself, and when it was last heard of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, cast

import orjson

from callboard.control.context import Context, reaching_redis
from callboard.core.clock import from_ms
from callboard.core.display import many, span
from callboard.core.fleet import Life, is_older, life_of, newest
from callboard.storage.presence import DEAD, list_present

Part = Literal["worker", "scheduler", "recorder", "api", "panel"]
PARTS: Final[tuple[Part, ...]] = ("worker", "scheduler", "recorder", "api", "panel")

#: Processes that have been dead for longer (s) are not shown.
SHOWN_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Doing:
    """A run that a worker executes; `lost` where it goes on although it was ordered to end."""

    run_id: str
    job: str
    attempt: int
    since: datetime
    lost: bool


@dataclass(frozen=True, slots=True)
class Process:
    """One process. Moments are by Redis's clock, but `started_at` and those of runs by its host's.

    `threads` and `queues` are a worker's, `stuck` those of its threads that are lost to runs which do not
    end. `memory` is in bytes and `memory_kind` `pss` or `rss`. `does` says in a few words what one that is
    no worker does; it is `outdated` where others run a newer version. `warnings` are sentences.
    """

    id: str
    part: Part
    host: str | None
    pid: int | None
    version: str | None
    python: str | None
    life: Life
    started_at: datetime | None
    last_seen: datetime
    silence_ms: int
    memory: int | None
    memory_kind: str | None
    queues: tuple[str, ...]
    threads: int
    busy: int
    stuck: int
    runs: tuple[Doing, ...]
    does: str | None
    outdated: bool
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fleet:
    """All processes, workers first, as of the moment `at`; the sums are over those that are not dead."""

    at: datetime
    processes: tuple[Process, ...]

    @property
    def living(self) -> tuple[Process, ...]:
        """Those that are not dead."""
        return tuple(each for each in self.processes if each.life != "dead")

    @property
    def alive(self) -> int:
        """How many give their signs of life in time."""
        return sum(each.life == "alive" for each in self.processes)

    @property
    def threads(self) -> int:
        """The slots for runs."""
        return sum(each.threads for each in self.living)

    @property
    def busy(self) -> int:
        """The slots that have a run."""
        return sum(each.busy for each in self.living)

    @property
    def memory(self) -> int:
        """Bytes of memory."""
        return sum(each.memory or 0 for each in self.living)

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions of Callboard that run: more than one while an upgrade is under way."""
        return tuple(sorted({each.version for each in self.living if each.version}))


def fleet(context: Context, *, part: Part | None = None) -> Fleet:
    """The fleet, or one part of it.

    Raises:
        Unavailable: Redis does not answer.
    """
    redis, keys = cast(Any, context.redis), context.keys
    with reaching_redis():
        seconds, microseconds = redis.time()
        now_ms = seconds * 1000 + microseconds // 1000
        described: dict[bytes, bytes] = redis.hgetall(keys.workers)
        beats = redis.zmscore(keys.heartbeats, list(described)) if described else []
        said = [
            ("worker", {**_object(value), "id": worker.decode(), "at": int(beat or 0)})
            for (worker, value), beat in zip(described.items(), beats, strict=True)
        ]
        said += [("scheduler", each) for each in list_present(context.redis, keys.schedulers)]
        said += [(str(each.get("part")), each) for each in list_present(context.redis, keys.processes)]
    dead_s = {"worker": context.settings.callboard_worker_timeout / 1000}
    shown = [(kind, each) for kind, each in said if kind in PARTS and now_ms - each["at"] < SHOWN_S * 1000]
    lives = [life_of((now_ms - each["at"]) / 1000, dead_s.get(kind, DEAD)) for kind, each in shown]
    latest = newest(
        each.get("version") for (_, each), life in zip(shown, lives, strict=True) if life != "dead"
    )
    found = [
        _process(kind, each, life, now_ms, latest) for (kind, each), life in zip(shown, lives, strict=True)
    ]
    wanted = [each for each in found if part in (None, each.part)]
    wanted.sort(key=lambda each: (PARTS.index(each.part), each.host or "", each.pid or 0, each.id))
    return Fleet(at=from_ms(now_ms), processes=tuple(wanted))


def _process(part: Part, said: Mapping[str, Any], life: Life, now_ms: int, latest: str | None) -> Process:
    threads, stuck = _number(said, "threads"), _number(said, "stuck")
    dead = life == "dead"
    silence_ms = max(0, now_ms - said["at"])
    version = said.get("version")
    outdated = not dead and is_older(version, latest)
    started = said.get("started_at")
    return Process(
        id=said["id"],
        part=part,
        host=said.get("host"),
        pid=said.get("pid"),
        version=version,
        python=said.get("python"),
        life=life,
        started_at=from_ms(started) if isinstance(started, int) else None,
        last_seen=from_ms(said["at"]),
        silence_ms=silence_ms,
        memory=said.get("memory"),
        memory_kind=said.get("memory_kind"),
        queues=tuple(said.get("queues") or ()),
        threads=threads,
        busy=0 if dead else min(threads, _number(said, "busy")),
        stuck=stuck,
        runs=() if dead else tuple(_doing(each) for each in said.get("runs") or ()),
        does=_does(part, said),
        outdated=outdated,
        warnings=tuple(_warnings(life, silence_ms, version, latest if outdated else None, stuck, threads)),
    )


def _doing(said: list[Any]) -> Doing:
    run_id, job, attempt, since, lost = said[:5]
    return Doing(run_id=run_id, job=job, attempt=attempt, since=from_ms(since), lost=bool(lost))


def _does(part: Part, said: Mapping[str, Any]) -> str | None:
    if part == "scheduler":
        return f"keeps {many(_number(said, 'schedules'), 'schedule')}"
    if part == "recorder":
        return "records" if said.get("works") else "stands by"
    return None if part == "worker" else "serves"


def _warnings(
    life: Life, silence_ms: int, version: str | None, newer: str | None, stuck: int, threads: int
) -> list[str]:
    found = []
    if life == "silent":
        found.append(f"It has given no sign of life for {span(silence_ms)}.")
    elif life == "dead":
        found.append(f"It died, or lost its network, {span(silence_ms)} ago; what it held goes to others.")
        return found
    if newer is not None:
        found.append(f"It runs version {version}, and others run {newer}: restart it.")
    if stuck:
        found.append(
            f"{many(stuck, 'thread')} of {threads} "
            + ("is" if stuck == 1 else "are")
            + ' lost to runs that cannot be interrupted: use isolation="process" for them, and restart it.'
        )
    return found


def _number(said: Mapping[str, Any], name: str) -> int:
    value = said.get(name)
    return value if isinstance(value, int) else 0


def _object(value: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(value)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
