"""What Sentry is to know of a schedule, so that it misses runs that do not come."""

import hashlib
import re

from callboard.core.cron_fields import ALIASES

#: The longest slug that Sentry takes.
MAX_SLUG = 50
#: The least and the most minutes after which Sentry gives up a run that has begun.
SHORTEST_MIN, LONGEST_MIN = 30, 40_320

_PLAIN = re.compile(r"[0-9A-Za-z*,/-]+(?: [0-9A-Za-z*,/-]+){4}")
_OURS = re.compile(r"[L#W]")


def monitor(job: str, key: str, expr: str, tz: str) -> dict[str, str] | None:
    """`slug`, `expr` and `tz` of the monitor of a schedule; None where Sentry cannot read the expression.

    `key` names the schedule within its job.
    """
    plain = ALIASES.get(expr, expr)
    if not _PLAIN.fullmatch(plain) or any(_OURS.search(_unnamed(field)) for field in plain.split()):
        return None
    return {"slug": _slug(job if key in ("", "code:1") else f"{job}-{key}"), "expr": plain, "tz": tz}


def longest_minutes(limit_ms: float | None, attempts: int | None) -> int:
    """How many minutes a run may take, with all its attempts."""
    most = (limit_ms or 0.0) * (attempts or 1) / 60_000
    return int(min(max(most + 1, SHORTEST_MIN), LONGEST_MIN))


def _unnamed(field: str) -> str:
    return re.sub(r"[A-Z]{3}", "", field.upper())


def _slug(name: str) -> str:
    """The name in the letters that a slug may have; two names that differ have different ones."""
    slug = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-")
    if slug == name and len(slug) <= MAX_SLUG:
        return slug
    mark = hashlib.sha256(name.encode()).hexdigest()[:6]
    return f"{slug[: MAX_SLUG - 7].rstrip('-') or 'job'}-{mark}"
