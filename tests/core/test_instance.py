"""The file by which a running instance is found."""

import fcntl
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from callboard.core.instance import FILE, LOCK, Instance, read_instance, remove_instance, write_instance

HERE = Instance(
    pid=os.getpid(),
    database_url="postgresql://u:p@/db?host=/tmp/s",
    redis_url="unix:///tmp/s",
    api_url="http://127.0.0.1:8000",
    panel_url="http://127.0.0.1:8501",
)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home whose lock is held, as that of a running instance is."""
    with (tmp_path / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield tmp_path


def test_what_one_process_writes_another_reads(home: Path) -> None:
    write_instance(home, HERE)

    assert read_instance(home) == HERE


def test_the_file_is_for_its_owner_alone_and_nothing_else_is_left(home: Path) -> None:
    umask = os.umask(0)
    try:
        write_instance(home, HERE)
    finally:
        os.umask(umask)

    assert stat.S_IMODE((home / FILE).stat().st_mode) == 0o600
    assert {path.name for path in home.iterdir()} == {FILE, LOCK}


def test_what_a_crash_left_lying_about_does_not_lend_its_mode(home: Path) -> None:
    aside = home / f"{FILE}.{os.getpid()}"
    aside.write_text("half a fi")
    aside.chmod(0o644)

    write_instance(home, HERE)

    assert stat.S_IMODE((home / FILE).stat().st_mode) == 0o600
    assert read_instance(home) == HERE


def test_an_instance_whose_process_has_ended_is_none(home: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    write_instance(home, Instance(ended.pid, "", "", "", ""))

    assert read_instance(home) is None


def test_an_instance_that_no_longer_holds_its_lock_is_none(tmp_path: Path) -> None:
    # Given a process id that another process has got since
    write_instance(tmp_path, HERE)
    assert read_instance(tmp_path) is None

    (tmp_path / LOCK).touch()
    assert read_instance(tmp_path) is None


def test_a_home_without_an_instance_has_none(home: Path) -> None:
    assert read_instance(home) is None
    assert read_instance(home / "nowhere") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"pid": 1}',
        "\ufeff",
        "[" * 100_000,
    ],
)
def test_a_spoilt_file_is_none(home: Path, text: str) -> None:
    (home / FILE).write_text(text, encoding="utf-8")

    assert read_instance(home) is None


@pytest.mark.parametrize("pid", [0, -1, -os.getpgrp(), "1", None, 1.5, 10**30])
def test_a_number_that_no_process_can_have_is_none(home: Path, pid: object) -> None:
    (home / FILE).write_text(
        json.dumps({"pid": pid, "database_url": "", "redis_url": "", "api_url": "", "panel_url": ""})
    )

    assert read_instance(home) is None


def test_bytes_that_are_no_text_are_none(home: Path) -> None:
    (home / FILE).write_bytes(b"\xff\xfe\x00")

    assert read_instance(home) is None


def test_removing_twice_is_as_good_as_once(home: Path) -> None:
    write_instance(home, HERE)

    remove_instance(home)
    remove_instance(home)

    assert read_instance(home) is None
    assert {path.name for path in home.iterdir()} == {LOCK}
