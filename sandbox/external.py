"""The external service: products whose prices, stocks and names change, and some of which are given up.

`GET /external/v1/records` lists what has changed, page by page. There is a change every few minutes, each of
which follows from its number, and so from the time.
"""

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from callboard.sandbox.answers import Json, bearer, problem
from callboard.sandbox.knobs import Setting
from callboard.sandbox.state import state_of

NAME = "external"
DEFAULTS = Setting(rate_limit=50)
PAGE = 500
#: The moment of the change of number 0, and the seconds from each to the next.
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
EVERY_S = 300
#: How many records there are, and of how many changes one is a deletion.
RECORDS = 2_000
DELETED_ONE_IN = 20

router = APIRouter(prefix=f"/{NAME}")

_KINDS = ("Filter", "Pump", "Valve", "Hose", "Gauge", "Boiler", "Sensor", "Bracket")
_MAKERS = ("Alder", "Birch", "Cedar", "Hazel", "Maple", "Rowan")


@router.get("/v1/records")
def records(
    request: Request,
    cursor: str | None = None,
    since: datetime | None = None,
    limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
) -> Response:
    """What has changed after the cursor, or since a moment."""
    state = state_of(request)
    if bearer(request) != state.token:
        return problem(401)
    if cursor is None:
        first = 0 if since is None else _number(since if since.tzinfo else since.replace(tzinfo=UTC))
    elif cursor.isascii() and cursor.isdigit() and len(cursor) < 16:
        first = int(cursor)
    else:
        return Json({"error": "bad_cursor", "message": "There is no such cursor."}, 400)
    end = _number(datetime.now(UTC))
    following = max(first, min(first + limit, end))
    return Json(
        {
            "records": [_change(number) for number in range(first, following)],
            "cursor": str(following),
            "has_more": following < end,
        }
    )


def _number(moment: datetime) -> int:
    """The number of the first change that is not before the moment."""
    return max(0, -int(-(moment - BEGINNING).total_seconds() // EVERY_S))


def _change(number: int) -> dict[str, Any]:
    seed = int.from_bytes(blake2b(str(number).encode(), digest_size=8).digest())
    record = seed % RECORDS
    deleted = (seed >> 16) % DELETED_ONE_IN == 0
    maker, kind = _MAKERS[record % len(_MAKERS)], _KINDS[record % len(_KINDS)]
    return {
        "id": f"product-{record:05}",
        "changed_at": BEGINNING + timedelta(seconds=number * EVERY_S),
        "deleted": deleted,
        "data": None
        if deleted
        else {
            "name": f"{maker} {kind} {record}",
            "price_cents": 500 + (seed >> 24) % 50_000,
            "stock": (seed >> 40) % 200,
        },
    }
