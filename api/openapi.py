"""What the documentation says of the whole API."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

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
    {"name": "job queue", "description": "The game platform's jobs, and the kick for the workers."},
    {"name": "runs", "description": "Runs with their attempts and log lines; cancel them, try them again."},
    {"name": "outbound", "description": "Messages to customers: send what is due, see what waits."},
    {"name": "queues", "description": "How much waits; pause queues, jobs or everything."},
    {"name": "queue health", "description": "How well queues do, what holds them up, and what to do."},
    {"name": "breakers", "description": "Circuit breakers: how they stand, and closing one."},
    {"name": "schedules", "description": "When jobs run: list, explain, preview and change it."},
    {"name": "dead letters", "description": "What failed for good: list it, requeue it, drop it."},
    {"name": "people", "description": "Who may do what, and who did: users, tokens, the audit trail."},
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
    for model in _models(BaseModel):
        # Pydantic sorts an example's fields by name; here they stand in the order of the contract.
        extra = model.model_config.get("json_schema_extra")
        if model.__name__ in schemas and isinstance(extra, dict):
            schemas[model.__name__]["examples"] = extra["examples"]
    # Errors of validation are problems too; FastAPI's own shape is never sent.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for methods in schema["paths"].values():
        for operation in methods.values():
            done = "201" if "201" in operation["responses"] else "200"
            operation["responses"][done]["description"] = HTTPStatus(int(done)).phrase
            if "422" in operation["responses"]:
                operation["responses"]["422"] = documented(422)[422]
    return schema


def _models(parent: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for model in parent.__subclasses__():
        if model.__module__.startswith("callboard.api."):
            yield model
            yield from _models(model)
