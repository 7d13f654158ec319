import re
from base64 import b64encode
from hashlib import sha256

import httpx
import pytest


@pytest.fixture
def schema(url):
    return httpx.get(f"{url}/openapi.json", timeout=30).json()


@pytest.fixture
def page(url):
    return httpx.get(f"{url}/docs", timeout=30)


def operations(schema):
    return [
        (method.upper(), path, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]


def test_each_operation_is_described_with_its_problems(schema):
    for method, path, operation in operations(schema):
        assert operation["summary"], (method, path)
        assert operation["description"], (method, path)
        if path not in ("/healthz", "/readyz"):
            assert operation["security"], (method, path)
            assert {"401", "403", "503"} <= set(operation["responses"]), (method, path)


def test_problems_have_one_shape_everywhere(schema):
    for method, path, operation in operations(schema):
        for status, response in operation["responses"].items():
            if status in ("200", "201", "202", "304", "500") or path == "/readyz":
                continue
            content = response["content"]
            assert set(content) == {"application/problem+json"}, (method, path, status)
            assert content["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}


def test_every_reference_leads_somewhere(schema):
    names = set(re.findall(r"#/components/schemas/(\w+)", str(schema)))

    assert names <= set(schema["components"]["schemas"])
    assert "HTTPValidationError" not in schema["components"]["schemas"]


def test_bodies_come_with_examples(schema):
    for name in (
        "Executed",
        "ExecutionFailed",
        "JobList",
        "JobInfo",
        "Toggle",
        "Queued",
        "Problem",
        "Arguments",
    ):
        assert schema["components"]["schemas"][name]["examples"], name


def test_the_page_shows_every_address(schema, page):
    assert page.status_code == 200
    for method, path, _ in operations(schema):
        assert f"<code class=method>{method}</code><code>{path}</code>" in page.text


def test_the_page_asks_no_other_server_for_anything(page):
    assert "<script" not in page.text
    assert not re.search(r'(src|href)\s*=\s*"?(https?:)?//', page.text)
    assert "url(" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_the_pages_style_is_the_one_that_its_policy_allows(page):
    style = re.search(r"<style>(.*?)</style>", page.text, re.DOTALL).group(1)

    allowed = f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'"
    assert allowed in page.headers["content-security-policy"]


def test_what_a_problem_points_to_is_on_the_page(api, page):
    place = api.get("/api/nothing").json()["type"]

    assert f'id="{place.removeprefix("/docs#")}"' in page.text
    for anchor in set(re.findall(r'href="#([\w-]+)"', page.text)):
        assert f'id="{anchor}"' in page.text
