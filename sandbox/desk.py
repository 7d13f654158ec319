"""The sandbox's own pages: what it serves, and what it has seen. For people and for tests."""

from html import escape
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from callboard.sandbox.answers import Json
from callboard.sandbox.state import KEPT, LOGGED, state_of

router = APIRouter()

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Callboard's sandbox</title>
<style>body {{ font: 16px/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 60rem; padding: 0 1rem }}
table {{ border-collapse: collapse }} td, th {{ padding: .3rem 1rem .3rem 0; text-align: left }}
td.n {{ text-align: right }}</style></head>
<body><h1>Callboard's sandbox</h1>
<p>It plays the services outside that jobs call. Nothing that is sent here reaches anybody.</p>
<table><tr><th>Service</th><th>Requests</th><th>Refused or failed</th><th>Repeats</th><th>Delivered</th></tr>
{rows}</table>
<p><a href="/_log">Requests</a> · <a href="/_counts">Figures</a> · <a href="/_deliveries/mail">Mail</a> ·
<a href="/_knobs">Knobs</a>: <code>curl -X PUT -H 'Content-Type: application/json'
-d '{{"whatsapp": {{"failure_rate": 0.2}}}}' {url}_knobs</code></p></body></html>
"""


@router.get("/")
async def page(request: Request) -> Response:
    """What is served, with figures."""
    counts = state_of(request).counts()
    rows = []
    for name in sorted({*request.app.state.knobs.settings(), *counts}):
        counted = counts.get(name, {})
        failed = sum(number for what, number in counted.items() if what.startswith(("status_4", "status_5")))
        figures = (
            counted.get("requests", 0),
            failed,
            counted.get("repeats", 0),
            counted.get("deliveries", 0),
        )
        cells = "".join(f'<td class="n">{figure:,}</td>' for figure in figures)
        rows.append(f"<tr><td>{escape(name)}</td>{cells}</tr>")
    return HTMLResponse(_PAGE.format(rows="\n".join(rows), url=escape(str(request.base_url))))


@router.get("/_counts")
async def counts(request: Request) -> Response:
    """Of each service: requests, status_<code>, repeats (by idempotency), deliveries, lost_answers."""
    return Json(state_of(request).counts())


@router.get("/_log")
async def log(request: Request, limit: Annotated[int, Query(ge=1, le=LOGGED)] = 100) -> Response:
    """The latest requests, the latest first."""
    return Json(list(reversed(state_of(request).log))[:limit])


@router.get("/_deliveries/{service}")
async def deliveries(
    request: Request, service: str, limit: Annotated[int, Query(ge=1, le=KEPT)] = 100
) -> Response:
    """What has reached somebody, the latest first."""
    return Json(state_of(request).deliveries(service, limit))


@router.post("/_reset")
async def reset(request: Request) -> Response:
    """Forget everything, and put the knobs back."""
    state_of(request).forget()
    request.app.state.knobs.reset()
    return Response(status_code=204)
