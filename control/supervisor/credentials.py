"""The first credentials in the home folder: files that only the owner can read."""

import os
from pathlib import Path

from callboard.control.first_start import FirstCredentials

PASSWORD_FILE = "admin-password"  # noqa: S105 - the name of a file
TOKEN_FILE = "api-token"  # noqa: S105 - the name of a file


def keep_credentials(home: Path, made: FirstCredentials) -> None:
    """Write down what was made just now; what was kept before stays unless it was made anew."""
    for name, secret in ((PASSWORD_FILE, made.admin_password), (TOKEN_FILE, made.api_token)):
        if secret is not None:
            _write(home / name, secret)


def kept(home: Path, name: str) -> Path | None:
    """The path of a kept credential, or None where none is kept."""
    path = home / name
    return path if path.is_file() else None


def kept_token(home: Path) -> str | None:
    """The API token that the first start made, or None."""
    try:
        return (home / TOKEN_FILE).read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


def _write(path: Path, secret: str) -> None:
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(
        os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(f"{secret}\n")
    aside.replace(path)
