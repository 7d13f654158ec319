"""A webhook: whatever JSON is posted to it, at any path, is kept to be looked at.

CALLBOARD_ALERT_URLS=json://127.0.0.1:8100/webhook
"""

from itertools import count

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from callboard.sandbox.answers import Json, body_of, problem
from callboard.sandbox.state import state_of

NAME = "webhook"

router = APIRouter(prefix=f"/{NAME}")
_numbers = count(1)


@router.post("")
@router.post("/{path:path}")
async def take(request: Request, path: str = "") -> Response:
    """Keep a body."""
    body = await body_of(request)
    if not isinstance(body, dict):
        return problem(400)
    state_of(request).deliver(NAME, str(next(_numbers)), {"path": path, "body": body})
    return Json({"ok": True})
