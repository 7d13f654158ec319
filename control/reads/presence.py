"""Whether any scheduler is there to decide slots, and if not, since when."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from redis.exceptions import RedisError

from callboard.control.context import Context
from callboard.core.display import span
from callboard.core.errors import CallboardError
from callboard.scheduler.presence import list_schedulers

#: A slot that passed so short a while ago is being decided as one looks.
PROMPT = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Presence:
    """What the schedulers' signs of life say; `known` is False where Redis does not answer."""

    known: bool
    alive: int
    #: When the earliest of those that are alive began.
    since: datetime | None
    #: The last sign of life of any of them.
    last_sign: datetime | None

    def why_undecided(self, due_at: datetime, now: datetime) -> str:
        """Why a slot that has passed is not decided."""
        if now - due_at <= PROMPT:
            return "it is being decided right now"
        if not self.known:
            return "Redis does not answer, so whether a scheduler is alive cannot be told"
        if self.alive:
            return (
                "a scheduler is alive and has not decided it: it catches up, or PostgreSQL does not answer it"
            )
        if self.last_sign is None:
            return "no scheduler is alive, and none has died within the last hour: start one"
        ago = span((now - self.last_sign) / timedelta(milliseconds=1))
        return f"no scheduler is alive: the last sign of one came {ago} ago"


def presence(context: Context) -> Presence:
    """Ask Redis for the schedulers' signs of life."""
    try:
        found = list_schedulers(context.redis, context.keys)
    except (RedisError, OSError, CallboardError):
        return Presence(known=False, alive=0, since=None, last_sign=None)
    alive = [each for each in found if each["alive"]]
    begun = [each["started_at"] for each in alive if isinstance(each.get("started_at"), int)]
    signs = [each["at"] for each in found if each["at"]]
    return Presence(
        known=True,
        alive=len(alive),
        since=_moment(min(begun)) if begun else None,
        last_sign=_moment(max(signs)) if signs else None,
    )


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
