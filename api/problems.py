"""Errors as `application/problem+json` (RFC 9457): one shape for all of them."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from callboard.api.docs import anchor
from callboard.control.attempts import TooManyAttempts
from callboard.control.reads.names import UnknownJob
from callboard.core.errors import CallboardError

MEDIA_TYPE = "application/problem+json"

#: The largest body of a request, in bytes: arguments of 64 KiB and their wrapping.
MAX_BODY = 128 * 1024
#: When a client should come back after a server was away, in seconds.
RETRY_AFTER_S = 5


class Problem(BaseModel):
    """What went wrong, in one sentence, in `detail`."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "/docs#not-found",
                    "title": "Not Found",
                    "status": 404,
                    "detail": "There is no job named 'health-chek'. Did you mean health-check?",
                    "instance": "/api/cron/execute/health-chek",
                    "matches": ["health-check"],
                }
            ]
        },
    )

    type: str
    title: str
    status: int
    detail: str
    instance: str


class ProblemResponse(JSONResponse):
    """A problem as a response."""

    media_type = MEDIA_TYPE


def problem(
    request: Request, status: int, detail: str, *, headers: dict[str, str] | None = None, **more: Any
) -> ProblemResponse:
    """The response for a problem; `more` are members of its own."""
    title = HTTPStatus(status).phrase
    content = {
        "type": f"/docs#{anchor(status)}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.url.path[:300],
    }
    return ProblemResponse(content | more, status_code=status, headers=headers)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may end with these problems: with 429 wherever a token is taken."""
    if HTTPStatus.UNAUTHORIZED in statuses:
        statuses = (*statuses, HTTPStatus.TOO_MANY_REQUESTS)
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def headers_of(error: CallboardError) -> dict[str, str]:
    """The headers that belong to an error."""
    if isinstance(error, TooManyAttempts):
        return {"Retry-After": str(error.retry_after_s)}
    if error.status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": 'Bearer realm="callboard"'}
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        return {"Retry-After": str(RETRY_AFTER_S)}
    return {}


def install(app: FastAPI) -> None:
    """Have every error that was foreseen answered as a problem."""

    async def known(request: Request, error: Exception) -> ProblemResponse:
        assert isinstance(error, CallboardError)  # noqa: S101
        more = {"matches": error.matches} if isinstance(error, UnknownJob) else {}
        return problem(request, error.status, str(error), headers=headers_of(error), **more)

    async def invalid(request: Request, error: Exception) -> ProblemResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        return problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, _sentence(error))

    async def http(request: Request, error: Exception) -> ProblemResponse:
        assert isinstance(error, HTTPException)  # noqa: S101
        detail = _DETAILS.get(error.status_code) or f"{str(error.detail).rstrip('.')}."
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = _methods(request) or headers.get("Allow", "GET")
        return problem(request, error.status_code, detail, headers=headers)

    app.add_exception_handler(CallboardError, known)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)


def _methods(request: Request) -> str:
    """All methods of an address, as documented; the router knows those of the first route that fits."""
    paths: dict[str, dict[str, Any]] = request.app.openapi()["paths"]
    for path in sorted(paths, key=lambda path: path.count("{")):
        if compile_path(path)[0].match(request.url.path):
            return ", ".join(sorted(method.upper() for method in paths[path]))
    return ""


def unforeseen(request: Request) -> ProblemResponse:
    """The response for a mistake of the program, which says nothing but where to look for it."""
    identity = request.state.request_id
    detail = f"Something went wrong here; the server's log has it under request {identity}."
    return problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, detail)


def too_large(request: Request) -> ProblemResponse:
    """The response for a request whose body is too large."""
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return problem(request, status, _DETAILS[status], headers={"Connection": "close"})


_DETAILS: dict[int, str] = {
    400: "The body cannot be read; send JSON in UTF-8.",
    404: "There is nothing at this address; /docs lists what there is.",
    405: "This address does not take that method; /docs lists those that it takes.",
    413: f"The body is larger than {MAX_BODY // 1024} KiB, which is the most that is taken.",
}


def _sentence(error: RequestValidationError) -> str:
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return f"The body is no JSON: {first.get('ctx', {}).get('error', 'it cannot be read')}."
    place, *path = (str(part) for part in first["loc"])
    where = f"{place} parameter" if place in ("query", "path", "header") else place
    name = f" {'.'.join(path)!r}" if path else ""
    what = str(first["msg"]).removeprefix("Value error, ").rstrip(".")
    return f"The {where}{name} is wrong: {what[:1].lower()}{what[1:300]}."
