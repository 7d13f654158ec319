"""WhatsApp's Cloud API: sending messages. Also the model of a service of the sandbox.

`POST /whatsapp/v23.0/<phone number id>/messages`. Numbers that end in 0000 are not on WhatsApp. Beyond the
real one, an `Idempotency-Key` is heard: the same key is answered with the same message, delivered once.
"""

import re
import time
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from callboard.sandbox.answers import Json, bearer, body_of
from callboard.sandbox.knobs import Setting
from callboard.sandbox.state import State, state_of

NAME = "whatsapp"
#: A business number's throughput, at the higher of its two levels.
DEFAULTS = Setting(rate_limit=1_000)
#: Characters of a text.
LONGEST_TEXT = 4_096
#: Seconds after somebody's message in which texts may be sent to them.
WINDOW_S = 86_400.0

router = APIRouter(prefix=f"/{NAME}")

_VERSION = re.compile(r"v\d+(\.\d+)?")
_NUMBER = re.compile(r"\+?[1-9]\d{6,14}")
_TYPES = ("text", "template")
_TROUBLES = {
    401: (190, "Invalid OAuth access token - Cannot parse access token"),
    403: (10, "(#10) Application does not have permission for this action"),
    404: (100, "Unsupported request. The object does not exist or cannot be loaded"),
    429: (130429, "(#130429) Rate limit hit"),
    503: (131016, "(#131016) Service unavailable"),
}


@router.post("/{version}/{number_id}/messages")
async def send(request: Request, version: str, number_id: str) -> Response:
    """Send a message."""
    state = state_of(request)
    token = bearer(request)
    if token is None:
        return _error(401, 104, "An access token is required to request this resource.")
    if token != state.token:
        return problem(401)
    if not _VERSION.fullmatch(version) or not number_id.isdecimal():
        return _error(
            400,
            100,
            f"Unsupported post request. Object with ID '{number_id}' does not exist, cannot be loaded due to "
            "missing permissions, or does not support this operation.",
            subcode=33,
        )
    body = await body_of(request)
    if (refusal := _refusal(body)) is not None:
        return refusal
    if body.get("type", "text") == "text" and _setting(request).holds_window:
        wrote = state.shelf(f"{NAME}.inbound").get(body["to"].lstrip("+"))
        if wrote is None or time.monotonic() - wrote > WINDOW_S:
            words = "(#131047) Re-engagement message"
            return _error(400, 131047, words, details="More than 24 hours have passed since they last wrote.")
    key = request.headers.get("idempotency-key")
    message, repeated = _deliver(state, body, number_id, key, heard=_setting(request).hears_keys)
    if repeated:
        state.count(NAME, "repeats")
    return Json(
        {
            "messaging_product": "whatsapp",
            "contacts": [{"input": body["to"], "wa_id": body["to"].lstrip("+")}],
            "messages": [{"id": message["id"]}],
        }
    )


@router.post("/_inbound")
async def hear(request: Request) -> Response:
    """Note that somebody has written: `{"from": "+33612345678"}`."""
    body = await body_of(request)
    said = body.get("from") if isinstance(body, dict) else None
    if not isinstance(said, str) or not _NUMBER.fullmatch(said):
        return _invalid("Parameter 'from' is not a valid phone number.")
    state_of(request).shelf(f"{NAME}.inbound").put(said.lstrip("+"), time.monotonic())
    return Json({"from": said})


def problem(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """An answer of trouble, in Graph's shape."""
    other = (131000, "(#131000) Something went wrong") if status >= 500 else (100, "(#100) Invalid parameter")
    code, message = _TROUBLES.get(status, other)
    return _error(status, code, message, headers=headers)


def _setting(request: Request) -> Setting:
    knob = request.app.state.knobs.of(NAME)
    return knob.setting if knob is not None else DEFAULTS


def _deliver(
    state: State, body: dict[str, Any], number_id: str, key: str | None, *, heard: bool
) -> tuple[dict[str, Any], bool]:
    def deliver() -> dict[str, Any]:
        to = body["to"].lstrip("+")
        sent = {
            "id": f"wamid.{b64encode(f'{to}:{uuid4().hex}'.encode()).decode()}",
            "from": number_id,
            "to": body["to"],
            "type": body.get("type", "text"),
            "text": body["text"]["body"] if body.get("type", "text") == "text" else None,
            "template": body.get("template"),
            "key": key,
        }
        return state.deliver(NAME, sent["id"], sent)

    return (deliver(), False) if key is None or not heard else state.shelf(f"{NAME}.keys").once(key, deliver)


def _refusal(body: Any) -> Response | None:
    """What is wrong with the message."""
    if not isinstance(body, dict):
        return _invalid("The body is not a JSON object.")
    if body.get("messaging_product") != "whatsapp":
        return _invalid("The parameter messaging_product is required.")
    to, kind = body.get("to"), body.get("type", "text")
    if not to:
        return _invalid("The parameter to is required.")
    if not isinstance(to, str) or not _NUMBER.fullmatch(to):
        return _invalid("Parameter 'to' is not a valid phone number.")
    if kind not in _TYPES:
        return _invalid(f"Param type must be one of {{{', '.join(kind.upper() for kind in _TYPES)}}}")
    if not isinstance(content := body.get(kind), dict):
        return _invalid(f"The parameter {kind} is required.")
    if kind == "text":
        text = content.get("body")
        if not isinstance(text, str) or not text:
            return _invalid("The parameter text['body'] is required.")
        if len(text) > LONGEST_TEXT:
            return _invalid(f"Param text['body'] must be at most {LONGEST_TEXT} characters long.")
    else:
        language = content.get("language")
        if not content.get("name") or not isinstance(language, dict) or not language.get("code"):
            return _invalid("The parameters template['name'] and template['language']['code'] are required.")
    if to.endswith("0056"):
        return _error(400, 131056, "(#131056) (Business Account, Consumer Account) pair rate limit hit")
    if to.endswith("0000"):
        return _error(
            400,
            131026,
            "(#131026) Message undeliverable",
            details="Message Undeliverable. The recipient is not a WhatsApp user.",
        )
    return None


def _invalid(details: str) -> Response:
    return _error(400, 100, "(#100) Invalid parameter", details=details, subcode=2494010)


def _error(
    status: int,
    code: int,
    message: str,
    *,
    details: str | None = None,
    subcode: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    error: dict[str, Any] = {"message": message, "type": "OAuthException", "code": code}
    if subcode is not None:
        error["error_subcode"] = subcode
    if details is not None:
        error["error_data"] = {"messaging_product": "whatsapp", "details": details}
    error["fbtrace_id"] = f"A{uuid4().hex[:22]}"
    more = dict(headers or {})
    if status == 401:
        more["WWW-Authenticate"] = f'OAuth "Facebook Platform" "invalid_token" "{message}"'
    return Json({"error": error}, status, more)
