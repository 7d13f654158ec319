"""The game platform: solves since a moment, totals of competitors, and who somebody is by e-mail."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from callboard.actors.providers import where
from callboard.actors.providers.http import Service
from callboard.actors.providers.pages import Page, follow, identity, nonsense, read_list, read_page

NAME = "The game platform"
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


@dataclass(frozen=True, slots=True)
class Account:
    """Who somebody is on the platform. `error` says why that is not known, "" if it is."""

    id: str = ""
    error: str = ""


class GamePlatform:
    """A client. Every method raises ServiceError where the platform does not do what it is asked."""

    def __init__(self) -> None:
        place = where.game_platform()
        self._service = Service(
            NAME,
            place.base_url,
            token=place.token,
            per_second=None if place.sandboxed else PER_SECOND,
            patience_s=PATIENCE_S,
        )

    def solves(
        self, *, cursor: str | None, since: datetime, competitors: Sequence[str] = (), limit: int = PAGE
    ) -> Iterator[Page[Solve]]:
        """Solves after the cursor, or where there is none since a moment, page by page.

        Of these competitors, up to a hundred; or of all.
        """

        def ask(cursor: str | None) -> Page[Solve]:
            params: dict[str, Any] = {"limit": limit}
            params |= {"since": since.isoformat()} if cursor is None else {"cursor": cursor}
            if competitors:
                params["competitor"] = list(competitors)
            return read_page(NAME, self._service.get("v1/solves", params), "solves", _solve)

        return follow(ask, cursor)

    def totals(self, competitors: Sequence[str]) -> dict[str, Totals]:
        """The totals of competitors, by id."""
        found = {each: Totals(error="The game platform has no totals.") for each in competitors}
        for start in range(0, len(competitors), MOST_IDS):
            asked = {"competitor": list(competitors[start : start + MOST_IDS])}
            for each in read_list(NAME, self._service.get("v1/totals", asked), "totals"):
                if isinstance(each, dict):
                    found[str(each.get("competitor_id"))] = _totals(each)
        return found

    def find(self, emails: Sequence[str]) -> dict[str, Account]:
        """Who competitors are, by e-mail in small letters; whom the platform does not know is left out."""
        found: dict[str, Account] = {}
        for start in range(0, len(emails), MOST_IDS):
            asked = {"emails": list(emails[start : start + MOST_IDS])}
            answer = self._service.post("v1/competitors/lookup", asked, repeatable=True)
            for each in read_list(NAME, answer, "competitors"):
                if isinstance(each, dict):
                    found[str(each.get("email")).lower()] = _account(each)
        return found


def _solve(record: Any) -> Solve:
    """The solve of a record; one that makes no sense says so, and harms none beside it."""
    try:
        at = datetime.fromisoformat(record["solved_at"])
        if at.tzinfo is None:
            raise ValueError(f"solved_at is {record['solved_at']!r}, without a zone")
        if not isinstance(record["id"], str | int):
            raise ValueError("its id is neither a text nor a number")
        return Solve(
            identity(record),
            str(record["competitor_id"]),
            str(record["challenge"]),
            str(record["category"]),
            _number(record, "points", 2**31),
            at.isoformat(),
        )
    except (KeyError, TypeError, ValueError) as error:
        which = identity(record)
        words = f"The platform's record of the solve {which} makes no sense: {nonsense(error)}."
        return Solve(which, error=words)


def _totals(record: dict[str, Any]) -> Totals:
    try:
        last = record.get("last_solve_at")
        return Totals(
            _number(record, "solves", 2**31),
            _number(record, "points", 2**63),
            None if record.get("rank") is None else _number(record, "rank", 2**31),
            None if last is None else datetime.fromisoformat(last).isoformat(),
        )
    except (KeyError, TypeError, ValueError) as error:
        return Totals(error=f"The game platform's totals make no sense: {nonsense(error)}.")


def _account(record: dict[str, Any]) -> Account:
    if isinstance(record.get("id"), str | int) and str(record["id"]):
        return Account(str(record["id"]))
    return Account(error="The game platform knows the e-mail, and names no id.")


def _number(record: dict[str, Any], name: str, most: int) -> int:
    value = record[name]
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < most:
        raise ValueError(f"{name} are {value!r:.40}")
    return value
