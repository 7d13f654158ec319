"""The API's process, driven from outside."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import httpx
import pytest

from callboard.api.app import create_app
from callboard.api.serve import Server
from callboard.core.settings import Settings
from helpers.declarations import declare, job
from helpers.waiting import wait_for

RUN = """
from callboard.api.serve import run
from callboard.core.settings import load_settings
run(load_settings())
"""
TOKEN = "api-token-for-tests"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


class Process:
    """The process, its log lines, and where it listens."""

    def __init__(self, settings: Settings) -> None:
        environment = os.environ | {
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "CALLBOARD_NAMESPACE": settings.callboard_namespace,
            "CALLBOARD_HOME": str(settings.home),
            "CALLBOARD_API_TOKEN": TOKEN,
            "CALLBOARD_API_PORT": "0",
        }
        self.lines: list[dict[str, object]] = []
        self.popen = subprocess.Popen(
            [sys.executable, "-c", RUN], env=environment, stderr=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.url = wait_for(self._listening, what="the API's process")

    def _read(self) -> None:
        assert self.popen.stderr is not None
        for line in self.popen.stderr:
            self.lines.append(json.loads(line))

    def _listening(self) -> str | None:
        for line in list(self.lines):
            words = str(line["event"]).split()
            if words[:3] == ["Uvicorn", "running", "on"]:
                return words[3]
        return None

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send the signal; returns the exit code."""
        self.popen.send_signal(number)
        code = self.popen.wait(timeout=20)
        self._reader.join(timeout=5)
        return code


@pytest.fixture
def process(settings) -> Iterator[Process]:
    made = Process(settings)
    yield made
    if made.popen.poll() is None:
        made.popen.kill()
        made.popen.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well(process, number):
    assert httpx.get(f"{process.url}/healthz").status_code == 200

    assert process.end(number) == 0


def test_answers_are_not_held_back_until_there_is_more_to_send(settings):
    server = Server(create_app(settings), "127.0.0.1", 0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.started, what="the API")
    port = server.servers[0].sockets[0].getsockname()[1]

    with httpx.Client() as client:
        client.get(f"http://127.0.0.1:{port}/healthz")
        (connection,) = server.server_state.connections
        answers = connection.transport.get_extra_info("socket")
        assert answers.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    server.should_exit = True
    thread.join(timeout=30)


def test_those_who_wait_are_answered_before_it_ends(process, engine):
    declare(engine, job("health-check", queue="nobody-works-on-this"))
    answers = []
    caller = threading.Thread(
        target=lambda: answers.append(
            httpx.post(f"{process.url}/api/cron/execute/health-check", headers=HEADERS, timeout=60)
        )
    )
    caller.start()
    wait_for(lambda: waits(engine), what="the run")

    assert process.end() == 0

    caller.join(timeout=10)
    assert answers[0].status_code == 202
    assert answers[0].json()["runId"]


def test_it_logs_json_lines_without_secrets(process, engine):
    declare(engine, job("health-check"))
    httpx.get(f"{process.url}/api/cron/jobs?key=s3cret", headers=HEADERS)

    process.end()

    (line,) = [line for line in process.lines if line.get("action") == "request"]
    assert (line["part"], line["method"], line["path"], line["status"]) == (
        "api",
        "GET",
        "/api/cron/jobs",
        200,
    )
    assert line["principal"] == "CALLBOARD_API_TOKEN"
    assert TOKEN not in str(process.lines)
    assert "s3cret" not in str(process.lines)


def waits(engine) -> bool:
    with engine.connect() as connection:
        return bool(connection.exec_driver_sql("SELECT count(*) FROM callboard.runs").scalar_one())
