"""The game platform: solves since a moment, totals of competitors, and who somebody is by e-mail."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from callboard.actors.providers import where
from callboard.actors.providers.http import Service

#: The most that one call is answered with, or may ask for.
PAGE = 500
MOST_IDS = 100
#: Calls of one process; the platform allows more.
PER_SECOND = 20.0
#: The seconds that one call may take with all its repetitions.
PATIENCE_S = 45.0


@dataclass(frozen=True, slots=True)
class Solve:
    """A challenge that somebody has solved. `error` says what is wrong with the record, "" if nothing is."""

    id: str
    platform_id: str = ""
    challenge: str = ""
    category: str = ""
    points: int = 0
    solved_at: str = ""
    error: str = ""

    def row(self) -> dict[str, Any]:
        """The solve as it is stored."""
        fields = asdict(self)
        del fields["error"]
        return {"solve_id": fields.pop("id"), **fields}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of solves, the oldest first; `cursor` is where the next one begins, now or another day."""

    solves: tuple[Solve, ...]
    cursor: str
    has_more: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """The figures over all of a competitor's solves. `error` says why there are none, "" if nothing does."""

    solves: int = 0
    points: int = 0
    rank: int | None = None
    last_solve_at: str | None = None
    error: str = ""

    def row(self) -> dict[str, Any]:
        """The figures as they are stored."""
        fields = asdict(self)
        del fields["error"]
        return fields


class GamePlatform:
    """A client. Every method raises ServiceError where the platform does not do what it is asked."""

    def __init__(self) -> None:
        place = where.game_platform()
        self._service = Service(
            "The game platform",
            place.base_url,
            token=place.token,
            per_second=None if place.sandboxed else PER_SECOND,
            patience_s=PATIENCE_S,
        )

    def solves(
        self, *, cursor: str | None, since: datetime, competitors: Sequence[str] = (), limit: int = PAGE
    ) -> Page:
        """Solves after the cursor, or where there is none since a moment; of these competitors, or all."""
        params: dict[str, Any] = {"limit": limit}
        params |= {"since": since.isoformat()} if cursor is None else {"cursor": cursor}
        if competitors:
            params["competitor"] = list(competitors)
        answer = self._service.get("v1/solves", params)
        found = tuple(_solve(each) for each in answer["solves"])
        return Page(found, str(answer["cursor"]), bool(answer["has_more"]))

    def pages(
        self,
        *,
        cursor: str | None = None,
        since: datetime,
        competitors: Sequence[str] = (),
        limit: int = PAGE,
    ) -> Iterator[Page]:
        """What `solves` answers, page after page to the last."""
        more = True
        while more:
            page = self.solves(cursor=cursor, since=since, competitors=competitors, limit=limit)
            yield page
            cursor, more = page.cursor, page.has_more

    def totals(self, competitors: Sequence[str]) -> dict[str, Totals]:
        """The totals of competitors, by id."""
        found = {each: Totals(error="The game platform has no totals.") for each in competitors}
        for start in range(0, len(competitors), MOST_IDS):
            ids = list(competitors[start : start + MOST_IDS])
            for each in self._service.get("v1/totals", {"competitor": ids})["totals"]:
                found[str(each["competitor_id"])] = Totals(
                    solves=int(each["solves"]),
                    points=int(each["points"]),
                    rank=each.get("rank"),
                    last_solve_at=each.get("last_solve_at"),
                )
        return found

    def find(self, emails: Sequence[str]) -> dict[str, str]:
        """The ids of competitors, by e-mail in small letters; whom the platform does not know is left out."""
        found: dict[str, str] = {}
        for start in range(0, len(emails), MOST_IDS):
            asked = {"emails": list(emails[start : start + MOST_IDS])}
            answer = self._service.call("POST", "v1/competitors/lookup", body=asked, repeatable=True).json()
            found |= {str(each["email"]).lower(): str(each["id"]) for each in answer["competitors"]}
        return found


def _solve(record: Mapping[str, Any]) -> Solve:
    """The solve of a record; one that makes no sense says so, and harms none beside it."""
    identity = str(record.get("id") or "without-id")[:200]
    try:
        points = record["points"]
        if not isinstance(points, int) or isinstance(points, bool) or not 0 <= points < 2**31:
            raise ValueError(f"points are {points!r}")
        at = datetime.fromisoformat(record["solved_at"])
        if at.tzinfo is None:
            raise ValueError(f"solved_at is {record['solved_at']!r}, without a zone")
        return Solve(
            identity,
            str(record["competitor_id"]),
            str(record["challenge"]),
            str(record["category"]),
            points,
            at.isoformat(),
        )
    except (KeyError, TypeError, ValueError) as error:
        what = f"it has no {error.args[0]}" if isinstance(error, KeyError) else str(error)
        whose = str(record.get("competitor_id") or "")
        return Solve(
            identity, whose, error=f"The platform's record of the solve {identity} makes no sense: {what}."
        )
