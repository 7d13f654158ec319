import socket
import time

import httpx
import pytest
from sqlalchemy import text

from helpers.serving import serving


def test_a_system_that_is_well_is_ready(url):
    answer = httpx.get(f"{url}/readyz")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "checks": {"postgresql": "ok", "schema": "ok", "redis": "ok"}}


@pytest.mark.parametrize(
    ("away", "wrong"),
    [
        ({"redis_url": "redis://127.0.0.1:1/0"}, {"redis"}),
        ({"database_url": "postgresql://x:s3cret@127.0.0.1:1/x"}, {"postgresql", "schema"}),
        ({"redis_url": "", "database_url": ""}, {"redis", "postgresql", "schema"}),
    ],
)
def test_what_is_away_is_named_and_the_process_lives_on(settings, away, wrong):
    with serving(settings.model_copy(update=away)) as url:
        answer = httpx.get(f"{url}/readyz", timeout=20)
        assert httpx.get(f"{url}/healthz").status_code == 200

    assert answer.status_code == 503
    body = answer.json()
    assert body["status"] == "unavailable"
    assert {name for name, check in body["checks"].items() if check != "ok"} == wrong
    assert "s3cret" not in answer.text


def test_a_schema_that_is_out_of_date_is_not_ready(url, engine):
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE callboard.schema_state SET value = 'older' WHERE name = 'fingerprint'")
        )

    answer = httpx.get(f"{url}/readyz")

    assert answer.status_code == 503
    assert "callboard migrate" in answer.json()["checks"]["schema"]
    assert answer.json()["checks"]["postgresql"] == "ok"


def test_requests_without_postgresql_are_503_in_one_sentence(settings, tmp_path):
    away = settings.model_copy(update={"database_url": "postgresql://x:s3cret@127.0.0.1:1/x"})
    with serving(away) as url:
        answer = httpx.get(f"{url}/api/cron/jobs", headers={"Authorization": "Bearer some-token"}, timeout=20)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.json()["detail"].startswith("PostgreSQL does not answer")
    assert "s3cret" not in answer.text


def test_a_server_that_hangs_counts_as_away_soon(settings):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        hanging = settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{port}/0"})
        with serving(hanging) as url:
            begun = time.monotonic()
            answer = httpx.get(f"{url}/readyz", timeout=20)
            took = time.monotonic() - begun

    assert answer.status_code == 503
    assert answer.json()["checks"]["redis"] == "It has not answered within 3 seconds."
    assert took < 8
