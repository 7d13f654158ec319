"""The style of the house: what the OpenAPI document must say of each operation."""

import json
from typing import Any

import jsonschema_rs
import pytest

from callboard.api.app import create_app
from callboard.core.settings import Settings

SCHEMA: dict[str, Any] = json.loads(json.dumps(create_app(Settings()).openapi()))
OPERATIONS = [
    pytest.param(path, method, operation, id=f"{method.upper()} {path}")
    for path, methods in SCHEMA["paths"].items()
    for method, operation in methods.items()
]
#: Open to everybody: whoever keeps the process running has no token.
OPEN = {"/healthz", "/readyz"}
#: Without an idempotency key: what changes nothing; secrets, whose answer must not be kept in Redis for a day
#: (a second request is refused, since names are taken once); switches of users, and a kick: the same twice by
#: nature.
WITHOUT_KEY = {
    "/api/schedules/preview",
    "/api/runs/{run_id}/stack",
    "/api/jobs/run",
    "/api/tokens",
    "/api/users",
    "/api/users/{user}/role",
    "/api/users/{user}/password",
    "/api/users/{user}/enabled",
    "/api/users/{user}/sign-out",
}
#: GETs that make something happen, since their system calls them so; the second of them knows no keys.
ACTS = {"/api/jobs/run-outbound", "/api/cron/run-outbound-jobs"}
HAPPENS = {"/api/jobs/run-outbound"}
each_operation = pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)


def check(schema: Any, value: Any) -> None:
    """Refuse a value that does not fit, with all that the document says elsewhere."""
    whole = {"components": SCHEMA["components"], **schema}
    jsonschema_rs.validate(whole, value)


@each_operation
def test_an_operation_says_what_it_does(path: str, method: str, operation: Any) -> None:
    assert 5 < len(operation["summary"]) < 60
    assert not operation["summary"].endswith(".")
    assert operation["description"].rstrip().endswith((".", "?"))
    assert len(operation["tags"]) == 1
    assert operation["tags"][0] in {tag["name"] for tag in SCHEMA["tags"]}


def test_each_operation_has_an_id_of_its_own() -> None:
    ids = [operation["operationId"] for _, _, operation in (each.values for each in OPERATIONS)]

    assert len(ids) == len(set(ids))


@each_operation
def test_each_parameter_is_described(path: str, method: str, operation: Any) -> None:
    for parameter in operation.get("parameters", ()):
        assert parameter.get("description", "").endswith("."), parameter["name"]
        for example in parameter["schema"].get("examples", ()):
            check(parameter["schema"], example)


@each_operation
def test_bodies_and_main_answers_have_an_example_that_fits(path: str, method: str, operation: Any) -> None:
    done = [
        operation["responses"][status] for status in ("200", "201", "202") if status in operation["responses"]
    ]
    assert done
    for described in [*done, *([operation["requestBody"]] if "requestBody" in operation else [])]:
        for media_type, content in described["content"].items():
            assert "example" in content, media_type
            if media_type == "application/json":
                assert content["schema"], "an answer without a shape"
                check(content["schema"], content["example"])


@each_operation
def test_each_answer_of_an_error_is_documented(path: str, method: str, operation: Any) -> None:
    if path in OPEN:
        return
    expected = {"401", "403", "429", "503"}
    if operation.get("parameters"):
        expected |= {"422"}
    if "requestBody" in operation:
        expected |= {"400", "413", "422"}
    if "{" in path and method != "get":
        expected |= {"404"} if not path.endswith("/resume") else set()
    assert expected <= set(operation["responses"])
    assert operation["security"]


@each_operation
def test_what_makes_something_happen_takes_an_idempotency_key(path: str, method: str, operation: Any) -> None:
    names = {parameter["name"].lower() for parameter in operation.get("parameters", ())}

    assert ("idempotency-key" in names) == (path in HAPPENS or (method == "post" and path not in WITHOUT_KEY))


@each_operation
def test_what_is_read_can_be_asked_for_again_cheaply(path: str, method: str, operation: Any) -> None:
    names = {parameter["name"].lower() for parameter in operation.get("parameters", ())}
    versioned = path == "/api/schedules/{schedule}"

    expected = method == "get" and path.startswith("/api/") and not versioned and path not in ACTS
    assert ("if-none-match" in names) == ("304" in operation["responses"]) == expected


@each_operation
def test_what_is_edited_takes_the_version_that_the_edit_is_based_on(
    path: str, method: str, operation: Any
) -> None:
    names = {parameter["name"].lower() for parameter in operation.get("parameters", ())}

    assert ("if-match" in names) == ("412" in operation["responses"])
    assert ("if-match" in names) or method not in ("patch", "put")
