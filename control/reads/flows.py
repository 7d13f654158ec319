"""Chains and groups: runs that belong together, shown as one thing with its parts.

Each run's message says which parts its chain has and what follows its group, so that the parts that have not
run, or never will, are known as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection

from callboard.storage.queries import Row
from callboard.storage.queries import flows as queries

#: The most parts of a group that are shown.
MOST = 200

#: States in which nothing stands in the way of the next part.
_GOES_ON = ("pending", "processing", "succeeded")


@dataclass(frozen=True, slots=True)
class Part:
    """One part: a run, or what is to become one.

    `state` is that of its run; `waiting` where its turn has not come, `not run` where it never will, for the
    `reason` given.
    """

    run_id: UUID | None
    job: str
    state: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """Parts that run one after the other (`chain`), or side by side with what follows (`group`).

    `then` are the runs that follow when all parts of a group have succeeded.
    """

    kind: Literal["chain", "group"]
    id: str
    parts: tuple[Part, ...]
    then: tuple[Part, ...] = ()


def flows_of(connection: Connection, flow: Mapping[str, Any] | None) -> tuple[Flow, ...]:
    """The chain and the group that a run is a part of, by what its row says of them."""
    found = []
    if isinstance(chain := (flow or {}).get("chain"), dict):
        found.append(_chain(connection, chain))
    if isinstance(group := (flow or {}).get("group"), dict):
        found.append(_group(connection, str(group.get("id"))))
    return tuple(each for each in found if each is not None)


def _chain(connection: Connection, chain: Mapping[str, Any]) -> Flow | None:
    named = _named(chain.get("parts"))
    if len(named) < 2:
        return None
    runs = _runs(connection, [run_id for run_id, _ in named])
    parts: list[Part] = []
    stopped: Part | None = None
    for run_id, job in named:
        part = _part(runs.get(run_id), run_id, job, stopped)
        parts.append(part)
        if stopped is None and part.state not in (*_GOES_ON, "waiting"):
            stopped = part
    return Flow("chain", str(chain.get("id")), tuple(parts))


def _group(connection: Connection, group: str) -> Flow | None:
    rows = queries.of_group(connection, group, limit=MOST)
    then: list[tuple[UUID, str]] = []
    for row in rows:
        then = then or _named(row["flow"]["group"].get("then"))
    following = {run_id for run_id, _ in then}
    parts = tuple(
        Part(row["run_id"], row["job"], row["state"], row["error"] or row["reason"])
        for row in rows
        if row["run_id"] not in following
    )
    stopped = next((part for part in parts if part.state not in _GOES_ON), None)
    runs = _runs(connection, list(following))
    return Flow(
        "group", group, parts, tuple(_part(runs.get(run_id), run_id, job, stopped) for run_id, job in then)
    )


def _part(row: Row | None, run_id: UUID, job: str, stopped: Part | None) -> Part:
    if row is not None:
        return Part(run_id, job, row["state"], row["error"] or row["reason"])
    if stopped is None:
        return Part(None, job, "waiting")
    return Part(None, job, "not run", f"{stopped.job} {_word(stopped.state)}")


def _word(state: str) -> str:
    return (
        state if state == "failed" else f"was {state}" if state in ("cancelled", "skipped") else f"is {state}"
    )


def _named(parts: Any) -> list[tuple[UUID, str]]:
    """[[id, job], ...] as a message has them; what is no such thing is left out."""
    found = []
    for part in parts if isinstance(parts, Sequence) and not isinstance(parts, str) else ():
        try:
            run_id, job = part
            found.append((UUID(str(run_id)), str(job)))
        except (TypeError, ValueError):
            continue
    return found


def _runs(connection: Connection, run_ids: Sequence[UUID]) -> dict[UUID, Row]:
    return {row["run_id"]: row for row in queries.states(connection, run_ids)}
