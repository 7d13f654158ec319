"""The sandbox as a process of its own."""

import re
import signal
import socket
from pathlib import Path

import httpx

from helpers.terminal import Process, callboard
from helpers.waiting import wait_for


def test_it_serves_on_the_ports_asked_for_and_ends_in_order(tmp_path: Path) -> None:
    with Process("sandbox", "--port", "0", "--smtp-port", "0", cwd=tmp_path) as process:
        process.wait_until_says("The sandbox starts")
        found = wait_for(lambda: re.search(r"http://127\.0\.0\.1:\d+", process.said), what="its URL")
        port = wait_for(lambda: re.search(r"smtp_port\W+(\d+)", process.said), what="its port")
        wait_for(lambda: _answers(found.group()), what="an answer")
        with socket.create_connection(("127.0.0.1", int(port.group(1))), timeout=20) as mail:
            assert mail.recv(1_000).startswith(b"220 ")

        assert process.end(signal.SIGTERM) == 0
        assert "Traceback" not in process.said


def test_a_taken_port_is_told_with_its_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        other = callboard("sandbox", "--port", "0", "--smtp-port", port, cwd=tmp_path)

    assert other.returncode == 1
    assert other.stderr == (
        f"Port {port} on 127.0.0.1 is taken, so the sandbox's mail cannot listen there: "
        "set CALLBOARD_SANDBOX_SMTP_PORT to a free port.\n"
    )


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
