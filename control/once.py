"""Idempotency keys: within a day, a request with the same key of the same caller is done once.

The first request takes the key; its answer is kept with it, and is what all later ones get. A request that
was refused has done nothing, and gives the key back. The keys of runs are older than this and hold for code
as well: see `actions/run_job.py`.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import orjson

from callboard.control.context import Context, reaching_redis
from callboard.control.principal import Principal
from callboard.core.errors import BadInput, Conflict
from callboard.core.limits import storable

#: Seconds for which an answer is kept, and for which a request may take.
KEPT_S: Final = 86_400
TAKEN_S: Final = 120


@dataclass(frozen=True, slots=True)
class Answer:
    """What the first request was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that a request has taken; `request` is its digest."""

    name: str
    request: str


class KeyOfAnother(BadInput):
    """The key belongs to another request."""

    status = 422


def take(context: Context, principal: Principal, key: str, request: bytes) -> Claim | Answer:
    """Take the key for a request, or give the answer that the same request has had.

    Raises:
        Conflict: the same request is under way.
        KeyOfAnother: another request has the key.
        Unavailable: Redis does not answer; nothing must be done, as it might be done twice.
    """
    who = f"{principal.origin} {principal.role} {principal.name}"
    digest = sha256("\0".join((who, storable(key))).encode()).hexdigest()
    claim = Claim(context.keys.answer(digest), sha256(request).hexdigest())
    mark = orjson.dumps({"request": claim.request})
    with reaching_redis():
        found: Any = context.redis.set(claim.name, mark, nx=True, get=True, ex=TAKEN_S)
    if found is None:
        return claim
    kept = orjson.loads(found)
    if kept["request"] != claim.request:
        raise KeyOfAnother("The Idempotency-Key belongs to another request of today; make a new one up.")
    if "status" not in kept:
        raise Conflict("The request with this Idempotency-Key is under way; ask again in a moment.")
    return Answer(kept["status"], kept["headers"], b64decode(kept["body"]))


def keep(context: Context, claim: Claim, answer: Answer) -> None:
    """Keep the answer with its key for a day.

    Raises:
        Unavailable: Redis does not answer.
    """
    kept = {
        "request": claim.request,
        "status": answer.status,
        "headers": dict(answer.headers),
        "body": b64encode(answer.body).decode(),
    }
    with reaching_redis():
        context.redis.set(claim.name, orjson.dumps(kept), ex=KEPT_S)


def give_back(context: Context, claim: Claim) -> None:
    """Let the key be taken again: nothing has been done.

    Raises:
        Unavailable: Redis does not answer.
    """
    with reaching_redis():
        context.redis.delete(claim.name)
