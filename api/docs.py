"""`/docs`: the documentation as one page, written by the server. It asks no other server for anything.

The usual pages for OpenAPI load their scripts from a content network; this one has none to load.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from html import escape
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from callboard.api.examples import example_of

STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; "
    f"frame-ancestors 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

#: What each kind of problem means; a problem's `type` points here.
PROBLEMS: Mapping[int, str] = {
    400: "What was asked for makes no sense as asked, for example arguments that the job does not take.",
    401: "There is no token, or it is not valid.",
    403: "The token's role may not do this.",
    404: "There is no job or run of that name; `matches` names jobs that come close.",
    405: "This address does not take that method.",
    409: "It cannot be done in the present state, for example because the job is already running.",
    412: "It was changed since you have looked at it: the `If-Match` is no longer its `ETag`.",
    413: "The body is larger than 128 KiB.",
    422: "The body or a parameter has the wrong form.",
    423: "The job is switched off.",
    429: "Too many attempts; `Retry-After` says when to come back.",
    500: "Something went wrong here; the server's log has it under the response's `X-Request-ID`.",
    503: "PostgreSQL or Redis does not answer; `Retry-After` says when to come back.",
}


def install(app: FastAPI) -> None:
    """Serve the page."""
    pages: list[str] = []

    @app.get("/docs", include_in_schema=False)
    def documentation() -> HTMLResponse:
        if not pages:
            pages.append(render(app.openapi()))
        return HTMLResponse(pages[0], headers=HEADERS)


def render(schema: Mapping[str, Any]) -> str:
    """The page for an OpenAPI schema."""
    info = schema["info"]
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(info['title'])} API</title><style>{STYLE}</style></head><body>",
        f"<h1>{escape(info['title'])} API <span class=soft>{escape(info['version'])}</span></h1>",
        *(f"<p>{_inline(paragraph)}</p>" for paragraph in info["description"].split("\n\n")),
        '<p class=soft>For programs: <a href="/openapi.json">openapi.json</a>.</p>',
    ]
    for tag in schema["tags"]:
        parts.append(f"<h2>{escape(tag['name'].title())}</h2><p class=soft>{_inline(tag['description'])}</p>")
        for path, methods in schema["paths"].items():
            for method, operation in methods.items():
                if tag["name"] in operation.get("tags", ()):
                    parts.extend(_operation(schema, path, method.upper(), operation))
    parts.append("<h2>Problems</h2><table>")
    for status, meaning in PROBLEMS.items():
        title = HTTPStatus(status).phrase
        parts.append(
            f'<tr id="{escape(anchor(status))}"><td><code>{status}</code> {escape(title)}</td>'
            f"<td>{_inline(meaning)}</td></tr>"
        )
    return "".join([*parts, "</table></body></html>"])


def anchor(status: int) -> str:
    """The place on the page where a problem of that status is explained."""
    return HTTPStatus(status).phrase.lower().replace(" ", "-")


def _operation(
    schema: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]
) -> Iterator[str]:
    yield f"<details><summary><code class=method>{method}</code><code>{escape(path)}</code>"
    yield f"<span class=what>{escape(operation['summary'])}</span></summary><div class=body>"
    for paragraph in operation.get("description", "").split("\n\n"):
        yield f"<p>{_inline(paragraph)}</p>"
    if operation.get("parameters"):
        yield "<h3>Parameters</h3><table>"
        for parameter in operation["parameters"]:
            default = parameter["schema"].get("default")
            note = f" Default: {default}." if default is not None else ""
            yield f"<tr><td><code>{escape(parameter['name'])}</code> in {escape(parameter['in'])}</td>"
            yield f"<td>{_inline(parameter.get('description', '') + note)}</td></tr>"
        yield "</table>"
    body = example_of(schema, operation.get("requestBody", {}).get("content", {}))
    if body is not None:
        yield f"<h3>Body</h3><pre>{_json(body)}</pre>"
    yield f"<h3>Call</h3><pre>{escape(_curl(path, method, operation, body))}</pre>"
    for status, response in operation["responses"].items():
        if _is_problem(response):
            continue
        yield f"<h3>{escape(status)} <span class=soft>{escape(response.get('description', ''))}</span></h3>"
        found = example_of(schema, response.get("content", {}))
        if found is not None:
            yield f"<pre>{_json(found)}</pre>"
    problems = [status for status in operation["responses"] if _is_problem(operation["responses"][status])]
    if problems:
        links = ", ".join(f'<a href="#{escape(anchor(int(status)))}">{status}</a>' for status in problems)
        yield f"<p class=soft>Problems: {links}</p>"
    yield "</div></details>"


def _is_problem(response: Mapping[str, Any]) -> bool:
    return "application/problem+json" in response.get("content", {})


def _curl(path: str, method: str, operation: Mapping[str, Any], body: object) -> str:
    filled = path.replace("{job}", "health-check").replace("{run_id}", "$RUN_ID")
    parts = [f"curl {'' if method == 'GET' else f'-X {method} '}http://127.0.0.1:8000{filled}"]
    if operation.get("security"):
        parts.append('-H "Authorization: Bearer $CALLBOARD_API_TOKEN"')
    if body is not None:
        parts += ["-H 'Content-Type: application/json'", f"-d '{json.dumps(body)}'"]
    return " \\\n  ".join(parts)


def _json(value: object) -> str:
    return escape(json.dumps(value, indent=2, ensure_ascii=False))


def _inline(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text.replace("\n", " ")))
