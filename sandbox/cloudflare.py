"""Cloudflare Stream: how far videos have come, in the shape of Cloudflare's API.

`GET /cloudflare/client/v4/accounts/<account>/stream/<uid>`. A video, which is any uid of letters and digits,
is ready within four minutes after it was first asked for; those that begin with `ready`, `error` or
`queued` are so for good, and those that begin with `gone` are not there.
"""

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from callboard.sandbox.answers import Json, bearer
from callboard.sandbox.knobs import Setting
from callboard.sandbox.state import State, state_of

NAME = "cloudflare"
DEFAULTS = Setting(rate_limit=200)
#: Seconds that a video waits at most, and that it is worked on at most.
WAITS_S = 60
WORKED_ON_S = 180
#: Of so many videos, one cannot be read.
BROKEN_ONE_IN = 25

router = APIRouter(prefix=f"/{NAME}")

_UID = re.compile(r"[A-Za-z0-9-]{4,64}")
_TROUBLES = {
    401: (10000, "Authentication error"),
    403: (10000, "Authentication error"),
    404: (10003, "Not Found: The requested resource was not found"),
    429: (10429, "Rate limited. Please wait and consider throttling your request speed"),
}


@router.get("/client/v4/accounts/{account}/stream/{uid}")
def details(request: Request, account: str, uid: str) -> Response:
    """What there is to say of a video."""
    state = state_of(request)
    token = bearer(request)
    if token is None:
        return _error(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
    if token != state.token:
        return problem(401)
    if not account.isalnum():
        return _error(400, 7003, f"Could not route to /accounts/{account}/stream/{uid}")
    if not _UID.fullmatch(uid) or uid.startswith("gone"):
        return problem(404)
    return Json({"result": _video(state, uid), "success": True, "errors": [], "messages": []})


def problem(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """An answer of trouble, in Cloudflare's shape."""
    code, message = _TROUBLES.get(
        status, (10001, "Internal server error") if status >= 500 else (10005, "Bad request")
    )
    return _error(status, code, message, headers)


def _error(status: int, code: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return Json(
        {"result": None, "success": False, "errors": [{"code": code, "message": message}], "messages": []},
        status,
        headers,
    )


def _video(state: State, uid: str) -> dict[str, Any]:
    begun, _ = state.shelf(f"{NAME}.videos").once(uid, time.time)
    seed = int.from_bytes(blake2b(uid.encode(), digest_size=8).digest())
    uploaded = datetime.fromtimestamp(begun, UTC)
    status, share = _status(uid, seed, time.time() - begun)
    ready = status == "ready"
    shown: dict[str, Any] = {
        "state": status,
        "errorReasonCode": "ERR_NON_VIDEO" if status == "error" else "",
        "errorReasonText": "The file was not recognized as a valid video file." if status == "error" else "",
    }
    if share is not None:
        shown["pctComplete"] = f"{share:.6f}"
    return {
        "uid": uid,
        "status": shown,
        "readyToStream": ready,
        "readyToStreamAt": uploaded + timedelta(seconds=_takes_s(seed)) if ready else None,
        "duration": round(20 + seed % 36_000 / 10, 1) if ready else -1,
        "created": uploaded,
        "modified": uploaded,
        "uploaded": uploaded,
        "size": 1_000_000 + seed % 500_000_000,
        "input": {"width": 1920, "height": 1080} if ready else {"width": -1, "height": -1},
        "meta": {"name": f"{uid}.mp4"},
        "requireSignedURLs": False,
        "thumbnail": f"https://customer-sandbox.cloudflarestream.com/{uid}/thumbnails/thumbnail.jpg",
        "playback": {
            "hls": f"https://customer-sandbox.cloudflarestream.com/{uid}/manifest/video.m3u8",
            "dash": f"https://customer-sandbox.cloudflarestream.com/{uid}/manifest/video.mpd",
        },
    }


def _status(uid: str, seed: int, age_s: float) -> tuple[str, float | None]:
    """Cloudflare's word for the state, and the share that is done (per cent)."""
    for word in ("ready", "error", "queued"):
        if uid.startswith(word):
            return word, 100.0 if word == "ready" else None
    waits, takes = seed % WAITS_S, _takes_s(seed)
    if age_s < waits:
        return "queued", None
    if age_s < takes:
        return "inprogress", 100 * (age_s - waits) / (takes - waits)
    return ("error", None) if seed % BROKEN_ONE_IN == 0 else ("ready", 100.0)


def _takes_s(seed: int) -> int:
    return seed % WAITS_S + 1 + seed // WAITS_S % WORKED_ON_S
