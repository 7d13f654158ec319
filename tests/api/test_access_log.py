import logging

import pytest

from helpers.declarations import declare, job
from helpers.waiting import wait_for


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, logger="callboard.api.access")

    def read(count: int):
        # The line is written when the response has been sent, which is when the client goes on.
        def found():
            return [record for record in caplog.records if record.name == "callboard.api.access"]

        wait_for(lambda: len(found()) >= count, what="the log line")
        return found()

    return read


def fields(record):
    return record.__dict__["callboard_fields"]


def test_a_request_leaves_one_line_that_says_who_what_and_how_long(api, engine, lines):
    declare(engine, job("health-check"))

    answer = api.get("/api/cron/execute/health-check")

    (record,) = lines(1)
    line = fields(record)
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/cron/execute/health-check", 200)
    assert (line["client"], line["principal"]) == ("127.0.0.1", "CALLBOARD_API_TOKEN")
    assert line["duration_ms"] > 0
    assert line["request_id"] == answer.headers["x-request-id"]


def test_neither_tokens_nor_queries_nor_bodies_are_logged(api, engine, lines):
    declare(engine, job("health-check"))

    api.post("/api/admin/cron-jobs/health-check/run?secret=s3cret", json={"kwargs": {"password": "hunter22"}})
    api.get("/api/cron/jobs", headers={"Authorization": "Bearer a-wrong-token"})

    written = str([record.__dict__ for record in lines(2)])
    for secret in ("s3cret", "hunter22", "api-token-for-tests", "a-wrong-token"):
        assert secret not in written


def test_health_is_logged_only_when_it_is_bad(api, lines):
    for _ in range(3):
        api.get("/healthz")
        api.get("/readyz")

    api.get("/api/nothing")
    assert [fields(record)["path"] for record in lines(1)] == ["/api/nothing"]


def test_an_error_of_ours_is_a_warning(api, engine, lines):
    declare(engine, job("health-check"))
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE callboard.jobs SET options = '[1]'")

    api.post("/api/cron/execute/health-check")

    (record,) = lines(1)
    assert record.levelno == logging.WARNING
    assert fields(record)["status"] == 500
