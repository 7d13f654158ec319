"""The processes of docker-compose.yml, each started by hand against servers that are there already."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from callboard.storage.engine import make_engine
from helpers.compose import load_compose, own_services
from helpers.databases import Databases
from helpers.waiting import wait_for

SERVICES = own_services(load_compose())
STAYING = [name for name in SERVICES if name != "migrate"]
SECRETS = {
    "api_token": "a-token-of-the-test",
    "admin_password": "a-password-of-the-test",
    "cron_secret": "sesame-open",
}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


class Stack:
    """The services as processes. `environment` is what all of them share."""

    def __init__(self, folder: Path, database_url: str, redis_url: str, namespace: str) -> None:
        self.folder = folder
        self.database_url = database_url
        self.ports = {"CALLBOARD_API_PORT": free_port(), "CALLBOARD_PANEL_PORT": free_port()}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._changes = {
            "CALLBOARD_NAMESPACE": namespace,
            "CALLBOARD_HOST": "127.0.0.1",
            "CALLBOARD_HOME": str(folder),
        }
        self._secrets = folder / "secrets"
        self._secrets.mkdir()
        for name, value in {**SECRETS, "database_url": database_url, "redis_url": redis_url}.items():
            (self._secrets / name).write_text(value, encoding="utf-8")

    def environment(self, name: str) -> dict[str, str]:
        """The environment of the compose file, with the test's servers, ports and places."""
        given = {key: str(value) for key, value in SERVICES[name]["environment"].items()}
        for key, value in given.items():
            if key.endswith("_FILE"):
                given[key] = str(self._secrets / Path(value).name)
        kept = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG")}
        ports = {key: str(port) for key, port in self.ports.items()}
        return {**kept, **given, **self._changes, **ports}

    def run(self, name: str) -> None:
        subprocess.run(
            self._command(name), env=self.environment(name), cwd=self.folder, check=True, timeout=60
        )

    def start(self, name: str) -> None:
        log = (self.folder / f"{name}.log").open("wb")
        self.processes[name] = subprocess.Popen(
            self._command(name), env=self.environment(name), cwd=self.folder, stdout=log, stderr=log
        )
        log.close()

    def is_healthy(self, name: str) -> bool:
        """Ask as the container's health check does."""
        command = [sys.executable, *SERVICES[name]["healthcheck"]["test"][2:]]
        return (
            subprocess.run(
                command, env=self.environment(name), cwd=self.folder, capture_output=True
            ).returncode
            == 0
        )

    def stop(self) -> dict[str, int]:
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        return {name: process.wait(timeout=60) for name, process in self.processes.items()}

    def kill(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()

    def _command(self, name: str) -> list[str]:
        return [str(Path(sys.executable).with_name("callboard")), *SERVICES[name]["command"]]


@pytest.fixture
def stack(databases: Databases, redis_url: str, namespace: str, tmp_path: Path) -> Iterator[Stack]:
    url = databases.empty()
    stack = Stack(tmp_path, url, redis_url, namespace)
    yield stack
    stack.kill()
    databases.drop(url)


def test_the_services_come_up_by_themselves_work_together_and_end_in_order(stack: Stack) -> None:
    # Given an empty database, brought up to date, and every service as a process of its own
    stack.run("migrate")
    for name in STAYING:
        assert not stack.is_healthy(name), f"the {name} is healthy before it has started"
        stack.start(name)

    # When each says of itself that it is healthy
    for name in STAYING:
        wait_for(lambda name=name: stack.is_healthy(name), timeout=60, what=f"a healthy {name}")  # type: ignore[misc]

    # Then a job asked for at the API runs on the worker and is recorded
    api = f"http://127.0.0.1:{stack.ports['CALLBOARD_API_PORT']}"
    bearer = {"Authorization": f"Bearer {SECRETS['cron_secret']}"}
    answer = wait_for(lambda: _execute(api, bearer), timeout=30, what="a known health-check")
    assert answer["success"] is True
    assert {row.status for row in _logs(stack, "health-check")} == {"completed"}

    # And the admin gets into the panel with the password of the secret, and nobody with another
    panel = f"http://127.0.0.1:{stack.ports['CALLBOARD_PANEL_PORT']}"
    assert _sign_in(panel, SECRETS["admin_password"]) == 303
    assert _sign_in(panel, "another password") == 401

    # And schedules fire by themselves
    assert wait_for(lambda: _logs(stack, "heartbeat"), timeout=60, what="a heartbeat")

    # And all of them end in order when they are told to
    assert stack.stop() == dict.fromkeys(STAYING, 0)


def _execute(api: str, headers: dict[str, str]) -> Any:
    answer = httpx.post(f"{api}/api/cron/execute/health-check", headers=headers, timeout=60)
    return answer.json() if answer.status_code == 200 else None


def _sign_in(panel: str, password: str) -> int:
    form = {"name": "admin", "password": password, "next": "/"}
    return httpx.post(f"{panel}/login", data=form, headers={"Origin": panel}, timeout=30).status_code


def _logs(stack: Stack, job: str) -> list[Any]:
    engine = make_engine(stack.database_url)
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT * FROM cron_job_logs WHERE job_name = :job"), {"job": job}
        ).all()
    engine.dispose()
    return list(rows)
