"""The embedded servers and SIGKILL: nothing confirmed is lost, and nothing is left running."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from callboard.storage.embedded import EmbeddedServers
from callboard.storage.embedded.process import alive
from helpers import owner
from helpers.homes import short_folder
from helpers.waiting import wait_for


@pytest.fixture
def home() -> Iterator[Path]:
    with short_folder() as made:
        yield made / "home"


class Owner:
    """A process that owns the servers of a home and writes to them."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, owner.__file__, str(home)], stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.pids: list[int] = self._next()["pids"]

    def kill_after(self, writes: int, *, servers: bool) -> set[int]:
        """Let it write, kill it (and the servers before it), and return the writes that it saw confirmed."""
        confirmed = {self._next()["wrote"] for _ in range(writes)}
        for pid in self.pids if servers else []:
            os.kill(pid, signal.SIGKILL)
        self.process.kill()
        out, _ = self.process.communicate()
        return confirmed | {json.loads(line)["wrote"] for line in out.splitlines() if line.endswith("}")}

    def _next(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the owner ended"
        fact: dict[str, Any] = json.loads(line)
        return fact


def test_eight_kills_of_the_servers_lose_nothing_that_was_confirmed(home: Path) -> None:
    confirmed: set[int] = set()
    for round_number in range(8):
        fresh = Owner(home).kill_after(writes=5 + 7 * round_number, servers=True)
        assert not fresh & confirmed, "the numbers went on from what the rounds before had written"
        confirmed |= fresh
    servers = EmbeddedServers(home)
    with servers:
        with psycopg.connect(servers.database_url) as connection:
            rows = {row[0] for row in connection.execute("SELECT x FROM written")}
        with redis.Redis.from_url(servers.redis_url) as client:
            keys = {int(key) for key in client.lrange("written", 0, -1)}  # type: ignore[union-attr]
    assert confirmed <= rows
    assert confirmed <= keys


def test_a_killed_owner_leaves_no_server_behind_and_the_next_start_waits_for_them(home: Path) -> None:
    first = Owner(home)
    confirmed = first.kill_after(writes=3, servers=False)
    servers = EmbeddedServers(home)
    with servers:
        assert not any(alive(pid) for pid in first.pids)
        with psycopg.connect(servers.database_url) as connection:
            assert connection.execute("SELECT max(x) FROM written").fetchone() >= (max(confirmed),)


def test_servers_whose_owner_was_killed_end_by_themselves(home: Path) -> None:
    killed = Owner(home)
    killed.kill_after(writes=1, servers=False)
    wait_for(lambda: not any(alive(pid) for pid in killed.pids), what="the end of the servers")


def test_a_pid_file_whose_number_now_belongs_to_another_process_stands_in_nobodys_way(home: Path) -> None:
    killed = Owner(home)
    killed.kill_after(writes=1, servers=True)
    pid_file = home / "postgresql" / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    with EmbeddedServers(home):
        pass
