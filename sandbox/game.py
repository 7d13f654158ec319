"""The game platform: who a competitor is, what all of them have solved since a moment, and their totals.

Its players are those that it was asked for, and whoever is linked in the database of the settings: it has
solves for them that go on as time goes by. E-mail addresses that begin with `nobody` are not known to it.
"""

import time
from base64 import urlsafe_b64decode
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from starlette.requests import Request
from starlette.responses import Response

from callboard.core.demo.solving import Solved, figures, place_in, player_of, stream
from callboard.core.errors import CallboardError
from callboard.core.settings import load_settings
from callboard.sandbox.answers import Json, bearer, problem
from callboard.sandbox.knobs import Setting
from callboard.sandbox.state import State, state_of
from callboard.storage.business.game_platform import linked_ids

NAME = "game"
DEFAULTS = Setting(rate_limit=100)
#: The largest page, and the most ids or addresses in one request.
PAGE = 500
MOST = 100
#: Seconds after which the database is asked again who plays.
FRESH_S = 10.0

router = APIRouter(prefix=f"/{NAME}")

_linked: dict[str, tuple[float, list[str]]] = {}

Ids = Annotated[list[str] | None, Query(alias="competitor", max_length=MOST)]


@router.get("/v1/solves")
def solves(
    request: Request,
    since: datetime | None = None,
    cursor: str | None = None,
    competitors: Ids = None,
    limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
) -> Response:
    """What was solved after the cursor, or since a moment; by these competitors, or by all."""
    state = state_of(request)
    if bearer(request) != state.token:
        return problem(401)
    try:
        after = _place(cursor, since)
    except ValueError:
        return Json({"error": "bad_cursor", "message": "There is no such cursor."}, 400)
    _learn(state, competitors or [])
    found: list[Solved] = []
    for solved in stream(competitors or _players(state), after, datetime.now(UTC)):
        if len(found) > limit:
            break
        found.append(solved)
    page, more = found[:limit], len(found) > limit
    return Json(
        {
            "solves": [
                {
                    "id": solved.id,
                    "competitor_id": solved.player,
                    "challenge": solved.challenge,
                    "category": solved.category,
                    "points": solved.points,
                    "solved_at": solved.at,
                }
                for solved in page
            ],
            "cursor": place_in(page[-1].key if page else after),
            "has_more": more,
        }
    )


@router.get("/v1/totals")
def totals(request: Request, competitors: Ids = None) -> Response:
    """The figures of competitors over the whole game, and their ranks among all."""
    state = state_of(request)
    if bearer(request) != state.token:
        return problem(401)
    asked = [each for each in competitors or [] if each.startswith("gp-")]
    _learn(state, asked)
    now = datetime.now(UTC)
    scores = sorted((figures(player, now)[1] for player in _players(state)), reverse=True)
    return Json({"totals": [_totals(player, scores, now) for player in asked]})


@router.post("/v1/competitors/lookup")
def lookup(request: Request, body: Annotated[dict[str, Any], Body()]) -> Response:
    """Who competitors are, by e-mail; those who do not play are left out."""
    state = state_of(request)
    if bearer(request) != state.token:
        return problem(401)
    emails = body.get("emails")
    if not isinstance(emails, list) or not all(isinstance(each, str) for each in emails):
        return Json({"error": "invalid", "message": "emails is a list of addresses."}, 400)
    if len(emails) > MOST:
        return Json({"error": "too_many", "message": f"At most {MOST} addresses in one request."}, 422)
    found = [{"email": email, "id": player_of(email)} for email in emails if not email.startswith("nobody")]
    _learn(state, [each["id"] for each in found])
    return Json({"competitors": found})


def _totals(player: str, scores: list[int], now: datetime) -> dict[str, Any]:
    solves_, points, last = figures(player, now)
    return {
        "competitor_id": player,
        "solves": solves_,
        "points": points,
        "rank": scores.index(points) + 1 if points in scores else len(scores) + 1,
        "last_solve_at": last,
    }


def _place(cursor: str | None, since: datetime | None) -> tuple[datetime, str]:
    """A place in the stream. Raises ValueError where it is none."""
    if cursor is None:
        begin = since or datetime(1970, 1, 1, tzinfo=UTC)
        return (begin if begin.tzinfo else begin.replace(tzinfo=UTC)), ""
    moment, _, identity = urlsafe_b64decode(cursor.encode("ascii")).decode().partition(" ")
    return datetime.fromtimestamp(float(moment), UTC), identity


def _learn(state: State, players: list[str]) -> None:
    shelf = state.shelf(f"{NAME}.players", 20_000)
    for player in players:
        shelf.put(player, player)


def _players(state: State) -> set[str]:
    return {*state.shelf(f"{NAME}.players").latest(20_000), *_linked_players()}


def _linked_players() -> list[str]:
    try:
        url = load_settings().database_url
        at, players = _linked.get(url, (0.0, []))
        if url and time.monotonic() - at > FRESH_S:
            players = linked_ids(url)
            _linked[url] = (time.monotonic(), players)
    except CallboardError:
        return []
    return players
