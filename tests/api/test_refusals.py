"""A viewer calls everything that changes something: refused each time, and each time in the trail."""

import re

import pytest

from helpers.declarations import audit, declare, job

ID = "0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d"


def changes(client):
    """(method, path, a body in order or None) of whatever changes something by the documentation."""
    schema = client.get("/openapi.json").json()
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            if method.upper() not in ("GET", "HEAD", "OPTIONS") and "x-changes-nothing" not in operation:
                yield method.upper(), path, example(schema, operation)


def example(schema, operation):
    content = operation.get("requestBody", {}).get("content", {})
    reference = re.search(r"#/components/schemas/(\w+)", str(content))
    if reference is None:
        return None
    return schema["components"]["schemas"][reference[1]]["examples"][0]


def test_a_viewers_token_changes_nothing_and_each_attempt_is_in_the_trail(api_as, engine):
    declare(engine, job("health-check"))
    client = api_as("viewer")
    tried = list(changes(client))
    assert len(tried) >= 9

    for method, path, body in tried:
        before = audit(engine)
        filled = re.sub(r"\{\w*id\w*\}", ID, path).replace("{job}", "health-check")
        answer = client.request(method, re.sub(r"\{\w+\}", "7", filled), json=body)

        assert answer.status_code == 403, (method, path, answer.text)
        added = audit(engine)[len(before) :]
        assert [(row["who"], row["outcome"]) for row in added] == [("token:a viewer", "refused")], path


@pytest.mark.parametrize("limit", [{"permissions": ["jobs:view"]}, {"jobs": ["greet"], "role": "admin"}])
def test_a_limited_token_changes_nothing_beyond_its_limits(api, url, engine, limit):
    declare(engine, job("health-check"), job("greet"))
    token = api.post("/api/tokens", json={"name": "narrow", **limit}).json()["token"]

    for method, path, body in list(changes(api)):
        filled = re.sub(r"\{\w*id\w*\}", ID, path).replace("{job}", "health-check")
        answer = api.request(
            method,
            re.sub(r"\{\w+\}", "7", filled),
            json=body,
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.status_code == 403, (method, path, answer.text)
