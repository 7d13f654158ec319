import http.client
import json
from urllib.parse import quote

import pytest

from helpers.declarations import declare, job, run_ids

FIELDS = {"type", "title", "status", "detail", "instance"}


def check(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert set(body) >= FIELDS
    assert body["status"] == status
    assert body["type"].startswith("/docs#")
    assert body["detail"].endswith((".", "?"))
    assert "\n" not in body["detail"]
    assert len(body["detail"]) < 500
    return body


def test_an_address_that_does_not_exist_is_a_problem(api):
    check(api.get("/api/nothing"), 404)
    check(api.get("/"), 404)


def test_a_method_that_an_address_does_not_take_is_a_problem(api):
    check(api.delete("/api/cron/jobs"), 405)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/cron/jobs", "GET"),
        ("PUT", "/api/cron/execute/health-check", "GET, POST"),
        ("OPTIONS", "/api/schedules/7", "DELETE, GET, PATCH"),
        ("PATCH", "/api/schedules/templates", "GET"),
        ("POST", "/docs", "GET"),
    ],
)
def test_a_method_that_is_refused_is_answered_with_those_that_are_not(api, method, path, allowed):
    answer = api.request(method, path)

    assert check(answer, 405)["instance"] == path
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize(
    ("content", "status", "detail"),
    [
        (b"{", 422, "The body is no JSON"),
        (b"[" * 100_000, 400, "The body cannot be read"),
        (b'{"enabled": tru', 422, "The body is no JSON"),
        (b"\xff\xfe\x00", 400, "The body cannot be read"),
        (b'{"enabled": "\xff"}', 400, "The body cannot be read"),
    ],
)
def test_a_body_that_cannot_be_read_is_the_callers_problem(api, engine, content, status, detail):
    declare(engine, job("health-check"))

    answer = api.post(
        "/api/admin/cron-jobs/health-check/toggle",
        content=content,
        headers={"Content-Type": "application/json"},
    )

    assert check(answer, status)["detail"].startswith(detail)


def test_a_body_that_is_too_large_is_refused_unread(api, engine):
    declare(engine, job("health-check"))
    large = json.dumps({"args": ["x" * 200_000]})

    check(api.post("/api/admin/cron-jobs/health-check/run", content=large, headers=JSON), 413)
    in_pieces = (large[start : start + 1000].encode() for start in range(0, len(large), 1000))
    check(api.post("/api/admin/cron-jobs/health-check/run", content=in_pieces, headers=JSON), 413)
    assert run_ids(engine, "health-check") == []


JSON = {"Content-Type": "application/json"}


def test_arguments_that_are_too_large_to_keep_are_refused(api, engine):
    rest = {"name": "rest", "kind": "var_positional", "type": None, "default": None, "required": False}
    declare(engine, job("health-check", signature=[rest]))

    body = check(api.post("/api/admin/cron-jobs/health-check/run", json={"args": ["x" * 70_000]}), 400)

    assert "at most 65536" in body["detail"]


@pytest.mark.parametrize(
    "name",
    [
        "..",
        "%00",
        "a%00b",
        "%0d%0aX-Injected:%201",
        "%ff%fe",
        "<script>alert(1)</script>",
        "'; DROP TABLE callboard.jobs; --",
        "x" * 900,
        "\N{SNOWMAN}",
        "%F0%9F%98%80",
        "nested%2Fname",
        "{job}",
        "%25",
    ],
)
def test_hostile_names_are_only_not_found(api, engine, name):
    declare(engine, job("health-check"))
    path = name if "%" in name else quote(name, safe="")

    for method, address in (
        ("GET", f"/api/cron/execute/{path}"),
        ("POST", f"/api/cron/execute/{path}"),
        ("POST", f"/api/admin/cron-jobs/{path}/run"),
        ("GET", f"/api/admin/cron-jobs/{path}/history"),
    ):
        answer = api.request(method, address)
        check(answer, 404)
        assert "x-injected" not in answer.headers

    assert api.get("/api/cron/jobs").json()["total"] == 1


def test_a_name_beyond_all_measure_is_refused(api):
    check(api.get(f"/api/cron/execute/{'x' * 5000}"), 422)


@pytest.mark.parametrize("run_id", ["latest", "%00", "1", "0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d-"])
def test_a_word_that_is_no_id_is_refused(api, run_id):
    assert check(api.get(f"/api/runs/{run_id}"), 422)["detail"].startswith(
        "The path parameter 'run_id' is wrong"
    )


def test_an_unknown_run_is_not_found(api):
    check(api.get("/api/runs/0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d"), 404)


@pytest.mark.parametrize("wait", ["-1", "3601", "nan", "inf", "soon"])
def test_a_wait_that_is_no_wait_is_refused_before_anything_runs(api, engine, wait):
    declare(engine, job("health-check"))

    body = check(api.post(f"/api/cron/execute/health-check?wait={wait}"), 422)

    assert body["detail"].startswith("The query parameter 'wait' is wrong")
    assert run_ids(engine, "health-check") == []


def test_a_mistake_of_the_program_tells_nothing_but_where_it_is_logged(api, engine, caplog):
    declare(engine, job("health-check"))
    with engine.begin() as connection:
        # A column of another type than the program expects.
        connection.exec_driver_sql("UPDATE callboard.jobs SET options = '[1]'")

    answer = api.post("/api/cron/execute/health-check")

    body = check(answer, 500)
    assert body["detail"].startswith("Something went wrong here")
    assert answer.headers["x-request-id"] in body["detail"]
    assert "Traceback" not in answer.text
    assert answer.headers["x-request-id"] in str([record.__dict__ for record in caplog.records])


def test_what_is_no_http_does_not_reach_the_application(url):
    host, _, port = url.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    connection.putrequest("GET", "/api/cron/jobs", skip_host=True)
    connection.putheader("X-Long", "x" * 100_000)
    connection.endheaders()

    assert connection.getresponse().status in (400, 431)
