"""Values that some layer below cannot take, in every place of every request: refused in a sentence."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from pydantic import SecretStr

from callboard.api.app import create_app
from callboard.core.clock import utcnow
from callboard.core.settings import Settings, load_settings
from callboard.storage.embedded import EmbeddedServers
from callboard.storage.engine import make_engine
from helpers.databases import Databases
from helpers.declarations import declare, job, log_execution
from helpers.serving import serving
from helpers.system import own_surroundings

TOKEN = "a-token"
SCHEMA: dict[str, Any] = json.loads(json.dumps(create_app(Settings()).openapi()))
OPERATIONS = [
    pytest.param(path, method, operation, id=f"{method.upper()} {path}")
    for path, methods in SCHEMA["paths"].items()
    for method, operation in methods.items()
]
#: As they stand in an address or a header, percent-encoded; what is left of them is the server's business.
WORDS = [
    "%00", "%ED%A0%80", "%FF%FE", "-1", "99999999999999999999999", "1e400", "NaN", "..", "9" * 199,
    "0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00-23:59",
    "9223372036854775808_0",
]  # fmt: skip
#: As they stand in JSON.
VALUES = [
    r'"a\u0000b"', r'"\ud800"', "-1", "1e400", "NaN", "1" + "0" * 30, "2147483648", "9223372036854775808",
    "null", "[]", "{}", '"0001-01-01T00:00:00+14:00"', '"2026-01-01T00:00:00-23:59"',
    r'{"\ud800": ["\u0000"]}', "[" * 900 + "]" * 900,
]  # fmt: skip
ID = "0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d"
NAMES = {
    "job": "greet", "queue": "default", "schedule": "1", "breaker": "mail", "limit": "tenant:7",
    "user": "ada", "token": "ci", "run_id": ID, "action_id": ID,
}  # fmt: skip


@pytest.fixture(scope="module")
def client(
    servers: EmbeddedServers,
    databases: Databases,
    redis_database: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[httpx.Client]:
    """A client of an API with a few jobs, an administrator's token on it."""
    with own_surroundings(servers, databases, redis_database, tmp_path_factory.mktemp("home")) as own:
        settings = load_settings(own).model_copy(update={"callboard_api_token": SecretStr(TOKEN)})
        engine = make_engine(settings.database_url)
        rest = {"name": "rest", "kind": "var_keyword", "type": None, "default": None, "required": False}
        declare(engine, job("greet", "0 8 * * *", signature=[rest]), job("wave"))
        with engine.begin() as connection:
            log_execution(connection, "greet", utcnow(), error="no")
        engine.dispose()
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with serving(settings) as url, httpx.Client(base_url=url, headers=headers, timeout=20) as made:
            yield made


def check(operation: Any, answer: httpx.Response) -> None:
    """Refuse an answer that the server did not foresee or document, or a problem of another shape."""
    status = str(answer.status_code)
    assert answer.status_code < 500, answer.text
    # Two dots make it another address, which may take other methods.
    assert status in operation["responses"] or status in ("404", "405"), answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == answer.status_code
        assert len(problem["detail"]) < 600
        assert "\n" not in problem["detail"]


def filled(path: str, names: dict[str, str]) -> str:
    """The path of an operation with names in it, which are encoded already."""
    for name, value in names.items():
        path = path.replace(f"{{{name}}}", value)
    return path


def query_of(operation: Any, **more: str) -> str:
    """A query with no wait in it that a test would wait for."""
    names = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"}
    given = {"wait": "0"} if "wait" in names else {}
    required = {each["name"]: "08:00" for each in operation.get("parameters", ()) if each.get("required")}
    given |= {name: value for name, value in required.items() if name in names}
    return "&".join(f"{name}={value}" for name, value in (given | more).items())


def body_of(operation: Any) -> dict[str, Any] | None:
    """The example of an operation's body."""
    content = operation.get("requestBody", {}).get("content", {})
    return content["application/json"]["example"] if content else None


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_an_operation_takes_or_refuses_any_value(
    client: httpx.Client, path: str, method: str, operation: Any
) -> None:
    body = body_of(operation)
    content = None if body is None else json.dumps(body)
    json_type = {} if body is None else {"Content-Type": "application/json"}

    def ask(address: str, query: str, content: str | None = content, **headers: bytes) -> None:
        answer = client.request(
            method.upper(), f"{address}?{query}", content=content,
            headers=json_type | {name.replace("_", "-"): value for name, value in headers.items()},
        )  # fmt: skip
        try:
            check(operation, answer)
        except AssertionError as error:
            raise AssertionError(
                f"{method} {address}?{query} {headers} {(content or '')[:300]}: {error}"
            ) from None

    plain, query = filled(path, NAMES), query_of(operation)
    for parameter in operation.get("parameters", ()):
        name = parameter["name"]
        for word in WORDS:
            if parameter["in"] == "path":
                ask(filled(path, NAMES | {name: quote(word, safe="%")}), query)
            elif parameter["in"] == "query" and (name != "wait" or not word.isdigit()):
                ask(plain, query_of(operation, **{name: word}))
            elif parameter["in"] == "header" and "%" not in word:
                ask(plain, query, **{name: word.encode()})
        if parameter["in"] == "header":
            ask(plain, query, **{name: b"\xff\xfe"})
    if body is None:
        return
    for value in VALUES:
        ask(plain, query, value)
        for name in (*body, "unknown"):
            rest = {key: each for key, each in body.items() if key != name}
            pairs = [f"{json.dumps(key)}: {json.dumps(each)}" for key, each in rest.items()]
            ask(plain, query, "{" + ", ".join([*pairs, f"{json.dumps(name)}: {value}"]) + "}")
