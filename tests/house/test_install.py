"""The commands of the house where nothing is: the wheel in an empty environment, and a fresh clone.

Both fetch whatever the package index of this machine has; nothing is taken from a cache or a home.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from callboard.storage.embedded.process import alive
from helpers.homes import short_folder
from helpers.house import ROOT
from helpers.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

#: Seconds for installing everything, on a slow line.
INSTALL_S = 1200.0


def empty_home(folder: Path) -> dict[str, str]:
    """The environment of somebody who has just come: a home with nothing in it, and no settings."""
    home = folder / "home"
    home.mkdir()
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "LANG", "LC_ALL", "CHROMIUM", "CI")
        or name.startswith(("PIP_", "SSL_CERT_"))
        or name.upper().endswith("_PROXY")
    }
    ports = {"CALLBOARD_API_PORT": "0", "CALLBOARD_PANEL_PORT": "0"}
    return {**kept, **ports, "HOME": str(home), "PIP_NO_CACHE_DIR": "1", "PYTHON": sys.executable}


@contextmanager
def started(command: list[str], cwd: Path, environment: Mapping[str, str]) -> Iterator[Path]:
    """A command in a process group of its own, as in a terminal; yields the file of what it says.

    Ends with Ctrl-C, after which nothing of it may be left.
    """
    output = cwd / "said"
    with output.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=cwd, env=dict(environment), stdin=subprocess.DEVNULL, stdout=file, stderr=file,
            start_new_session=True,
        )  # fmt: skip
    family = [process.pid]
    try:

        def is_up() -> bool:
            said = output.read_text(errors="replace")
            assert process.poll() is None, said
            return "Log in as" in said

        wait_for(is_up, INSTALL_S, "everything to be up")
        family += [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
        yield output
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)
        assert "Everything has ended" in output.read_text(errors="replace")
        assert not [pid for pid in family if alive(pid)]
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_the_wheel_in_an_empty_environment_brings_everything_up_in_an_empty_folder(tmp_path: Path) -> None:
    with short_folder() as folder:
        environment = empty_home(folder)
        build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", tmp_path]
        subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
        (wheel,) = tmp_path.glob("*.whl")
        venv, empty = folder / "venv", folder / "empty"
        empty.mkdir()
        subprocess.run([sys.executable, "-m", "venv", venv], env=environment, check=True)
        install = [venv / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", wheel]
        subprocess.run(install, env=environment, cwd=empty, check=True, timeout=INSTALL_S)
        callboard = str(venv / "bin" / "callboard")

        with started([callboard, "up"], empty, environment):
            assert_a_job_runs(callboard, empty, environment)


def test_a_fresh_clone_with_an_empty_home_runs_both_commands_of_the_readme() -> None:
    with short_folder() as folder:
        environment = empty_home(folder)
        clone = folder / "clone"
        subprocess.run(["git", "clone", "--quiet", "--no-local", ROOT, clone], check=True)

        with started(["make", "run"], clone, environment):
            assert_a_job_runs(str(clone / ".venv" / "bin" / "callboard"), clone, environment)

        # All of the tests would be these once more.
        test = ["make", "test", "ARGS=tests/test_fixtures.py tests/storage/test_engine.py"]
        outcome = subprocess.run(
            test, cwd=clone, env=environment, capture_output=True, text=True, timeout=INSTALL_S
        )
        assert outcome.returncode == 0, outcome.stdout + outcome.stderr
        assert " passed" in outcome.stdout


def assert_a_job_runs(callboard: str, cwd: Path, environment: Mapping[str, str]) -> None:
    """What has been installed does its work, seen through its own command."""
    done = subprocess.run(
        [callboard, "jobs", "run", "health-check", "--wait"],
        cwd=cwd, env=dict(environment), capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "succeeded" in done.stdout
