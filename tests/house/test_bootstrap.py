"""The commands of the house on machines that lack something."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.house import ROOT

TOOLS = ("sh", "dirname", "cat", "cksum", "id", "rm", "make", "grep", "sed", "expand")
LOCKS = ("requirements.lock", "requirements-dev.lock")


class Checkout:
    """A copy of what the bootstrap needs, on a machine that has only the tools given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkout"
        self.bin = folder / "bin"
        self.bin.mkdir()
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found is not None, tool
            (self.bin / tool).symlink_to(found)
        for name in ("scripts/bootstrap", "pyproject.toml", "Makefile", "src/callboard/__init__.py", *LOCKS):
            target = self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)

    def program(self, name: str, text: str) -> Path:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        path.chmod(0o755)
        return path

    def bootstrap(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.folder / "scripts" / "bootstrap"), *arguments],
            env={"PATH": str(self.bin), "HOME": str(self.folder), **environment},
            capture_output=True,
            text=True,
            timeout=100,
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_without_any_python_it_says_what_is_needed(checkout: Checkout) -> None:
    outcome = checkout.bootstrap()

    assert outcome.returncode == 1
    assert "Python 3.11 or newer is needed" in outcome.stderr
    assert "PYTHON=/path/to/python3" in outcome.stderr


def test_an_older_python_is_passed_by_and_named(checkout: Checkout) -> None:
    checkout.program("python3", 'if [ "$1" = --version ]; then echo "Python 3.9.2"; else exit 1; fi')

    outcome = checkout.bootstrap()

    assert outcome.returncode == 1
    assert "Python 3.9.2" in outcome.stderr


def test_a_python_named_by_hand_that_does_not_do_is_refused(checkout: Checkout) -> None:
    outcome = checkout.bootstrap(PYTHON="/nowhere/python3")

    assert outcome.returncode == 1
    assert "PYTHON=/nowhere/python3 is not a Python of at least 3.11" in outcome.stderr


def test_a_python_without_venv_is_told_by_the_package_to_install(checkout: Checkout) -> None:
    # Given a Python that can do all but import ensurepip, as Debian's without python3-venv
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    checkout.program("python3", f'case "$2" in *ensurepip*) exit 1 ;; esac\nexec "{sys.executable}" "$@"')

    outcome = checkout.bootstrap()

    assert outcome.returncode == 1
    assert f"apt-get install python{version}-venv" in outcome.stderr
    assert not (checkout.folder / ".venv").exists()


@pytest.mark.skipif(os.getuid() == 0, reason="nothing is read-only for root")
def test_a_checkout_that_is_not_ones_own_is_said_to_be_so(checkout: Checkout) -> None:
    checkout.folder.chmod(0o555)
    try:
        outcome = checkout.bootstrap(PYTHON=sys.executable)
    finally:
        checkout.folder.chmod(0o755)

    assert outcome.returncode == 1
    assert "is not writable" in outcome.stderr


def test_an_unknown_set_is_refused(checkout: Checkout) -> None:
    outcome = checkout.bootstrap("everything")

    assert outcome.returncode == 1
    assert "use 'run' or 'dev'" in outcome.stderr


class TestWithAnEnvironment:
    """Where the environment is there: pip is a program that only notes how it was called."""

    @pytest.fixture
    def made(self, checkout: Checkout) -> Checkout:
        venv = checkout.folder / ".venv" / "bin"
        venv.mkdir(parents=True)
        python, pip = venv / "python", venv / "pip"
        python.write_text(
            f'#!/bin/sh\nif [ "$1" = -m ]; then echo "$@" >> "{checkout.folder}/calls"; exit; fi\n'
            f'exec "{sys.executable}" "$@"\n',
            encoding="utf-8",
        )
        pip.write_text(f'#!/bin/sh\necho "pip 1 from {venv.parent}/lib/pip (python 3)"\n', encoding="utf-8")
        for program in (python, pip):
            program.chmod(0o755)
        return checkout

    def calls(self, checkout: Checkout) -> list[str]:
        log = checkout.folder / "calls"
        return log.read_text(encoding="utf-8").splitlines() if log.exists() else []

    def test_what_is_installed_is_the_lock_by_hashes_and_then_the_project(self, made: Checkout) -> None:
        made.bootstrap("run")

        locked, project = self.calls(made)
        assert "--require-hashes -r requirements.lock" in locked
        assert "--no-deps --no-build-isolation --editable ." in project

    def test_a_second_time_nothing_is_installed(self, made: Checkout) -> None:
        made.bootstrap("run")

        outcome = made.bootstrap("run")

        assert (outcome.returncode, outcome.stdout) == (0, "")
        assert len(self.calls(made)) == 2

    def test_the_larger_set_serves_for_the_smaller_and_not_the_other_way_round(self, made: Checkout) -> None:
        made.bootstrap("run")
        made.bootstrap("dev")
        assert len(self.calls(made)) == 4

        made.bootstrap("run")
        assert len(self.calls(made)) == 4

    @pytest.mark.parametrize("name", [*LOCKS, "pyproject.toml"])
    def test_a_changed_lock_or_project_is_installed_anew(self, made: Checkout, name: str) -> None:
        made.bootstrap("dev")
        with (made.folder / name).open("a", encoding="utf-8") as file:
            file.write("# changed\n")

        made.bootstrap("dev")

        assert len(self.calls(made)) == 4

    def test_an_installation_that_failed_is_tried_again(self, made: Checkout) -> None:
        python = made.folder / ".venv" / "bin" / "python"
        works = python.read_text(encoding="utf-8")
        python.write_text(works.replace("exit; fi", "exit 1; fi"), encoding="utf-8")
        assert made.bootstrap("run").returncode == 1

        python.write_text(works, encoding="utf-8")
        assert made.bootstrap("run").returncode == 0
        assert len(self.calls(made)) == 3


def test_make_without_a_target_lists_every_command_that_is_meant_to_be_called(checkout: Checkout) -> None:
    outcome = subprocess.run(
        ["make"], cwd=checkout.folder, env={"PATH": str(checkout.bin)}, capture_output=True, text=True
    )

    listed = {line.split()[0] for line in outcome.stdout.splitlines()}
    assert listed >= {
        *("run", "test", "test-failed", "test-long", "bench"),
        *("screenshots", "lint", "format", "lock"),
    }


def test_ci_runs_the_readmes_own_command() -> None:
    script = ROOT / ".ci" / "run"

    assert os.access(script, os.X_OK)
    assert re.search(r"^make test(?![-\w])", script.read_text(encoding="utf-8"), re.MULTILINE)
    assert re.search(r"^make test\b", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_pinned_and_hashed(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.findall(r"^[a-z0-9].*?(?=^[a-z0-9]|\Z)", text, re.MULTILINE | re.DOTALL)

    assert len(entries) > 50
    assert all(re.match(r"[\w.\[\]-]+==[\w.]+", entry) and "--hash=sha256:" in entry for entry in entries)


def test_both_locks_pin_the_same_versions() -> None:
    pins = [
        set(re.findall(r"^[a-z0-9][\w.-]*==\S+", (ROOT / lock).read_text(), re.MULTILINE)) for lock in LOCKS
    ]

    assert pins[0] < pins[1]
