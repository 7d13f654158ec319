"""What the documentation says of the whole API, and of each operation what all of its kind have in common."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from callboard import __version__
from callboard.api.etags import PREFIX
from callboard.api.examples import example_of
from callboard.api.problems import Problem, documented

DESCRIPTION = """
List cron jobs, run them, switch them, see how they did.

Every request but those for health takes a bearer token: `Authorization: Bearer <token>`. Times are UTC,
ISO 8601; durations are milliseconds, timeouts and waits seconds. Errors are `application/problem+json`
(RFC 9457), their `detail` one sentence.

Lists come in pages: pass on `nextCursor` as `cursor`. Answers to GET have an `ETag`; sent back as
`If-None-Match` it is answered 304, without a body, as long as nothing has changed. What makes something
happen takes an `Idempotency-Key`: within a day, the same key is done once and answered the same. What takes
none is the same when it is done twice (the kick of the workers, changes of users and of schedules), or is
refused the second time, and its answer is a secret that is kept nowhere (new users and tokens).
""".strip()

TAGS = [
    {"name": "cron", "description": "List jobs; run one and wait for its outcome."},
    {"name": "admin", "description": "Everything about jobs; switch them, run them, see their history."},
    {"name": "job queue", "description": "The game platform's jobs, and the kick for the workers."},
    {"name": "runs", "description": "Runs with their attempts and log lines; cancel them, try them again."},
    {"name": "outbound", "description": "Messages to customers: send what is due, see what waits."},
    {"name": "workers", "description": "The processes of the system: threads, memory, what each does."},
    {"name": "queues", "description": "How much waits; pause queues, jobs or everything; limits."},
    {"name": "queue health", "description": "How well queues do, what holds them up, what to do."},
    {"name": "alerts", "description": "What is amiss, who sees to it, and of what nobody is told."},
    {"name": "breakers", "description": "Circuit breakers: how they stand, and closing one."},
    {"name": "schedules", "description": "When jobs run: list, explain, preview and change it."},
    {"name": "dead letters", "description": "What failed for good: list it, requeue it, drop it."},
    {"name": "people", "description": "Who may do what, and who did: users, tokens, the audit trail."},
    {"name": "health", "description": "For whoever keeps this process running."},
]

IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The `ETag` of the answer that you have.",
    "schema": {"type": "string"},
}


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
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            _complete(schema, path, method, operation)
    return schema


def _complete(schema: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    done = "201" if "201" in responses else "200"
    responses[done]["description"] = HTTPStatus(int(done)).phrase
    own = operation.pop("x-versioned", False) or operation.pop("x-acts", False)
    if method == "get" and path.startswith(PREFIX) and not own:
        operation.setdefault("parameters", []).append(IF_NONE_MATCH)
        responses["304"] = {"description": "What you have still holds."}
    names = {each["name"].lower() for each in operation.get("parameters", ())}
    statuses = [422] if names and path.startswith(PREFIX) else []
    statuses += [409, 422, 503] if "idempotency-key" in names else []
    statuses += [412] if "if-match" in names else []
    statuses += [400, 413, 422] if "requestBody" in operation else []
    for status in statuses:
        responses[str(status)] = documented(status)[status]
    operation["responses"] = dict(sorted(responses.items()))
    for described in (operation.get("requestBody", {}), *responses.values()):
        content = described.get("content", {})
        example = example_of(schema, content)
        if example is not None:
            content["application/json"]["example"] = example


def _models(parent: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for model in parent.__subclasses__():
        if model.__module__.startswith("callboard.api."):
            yield model
            yield from _models(model)
