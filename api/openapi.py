"""What the documentation says of the whole API."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from callboard import __version__
from callboard.api.problems import Problem, documented

DESCRIPTION = """
List cron jobs, run them, switch them, see how they did.

Every request but those for health takes a bearer token: `Authorization: Bearer <token>`. Times are UTC,
ISO 8601; durations are milliseconds, timeouts and waits seconds. Errors are `application/problem+json`
(RFC 9457), their `detail` one sentence.
""".strip()

TAGS = [
    {"name": "cron", "description": "List jobs; run one and wait for its outcome."},
    {"name": "admin", "description": "Everything about jobs; switch them, run them, see their history."},
    {"name": "runs", "description": "One run with its attempts and log lines."},
    {"name": "health", "description": "For whoever keeps this process running; no token needed."},
]


def install(app: FastAPI) -> None:
    """Describe the application, once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _schema(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _schema(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(
        title="Callboard", version=__version__, description=DESCRIPTION, tags=TAGS, routes=app.routes
    )
    schemas = schema["components"]["schemas"]
    schemas["Problem"] = Problem.model_json_schema()
    # Errors of validation are problems too; FastAPI's own shape is never sent.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for methods in schema["paths"].values():
        for operation in methods.values():
            if "422" in operation["responses"]:
                operation["responses"]["422"] = documented(422)[422]
    return schema
