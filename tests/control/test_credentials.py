"""The first credentials in the home folder."""

import stat
from pathlib import Path

from callboard.control.first_start import FirstCredentials
from callboard.control.supervisor.credentials import (
    PASSWORD_FILE,
    TOKEN_FILE,
    keep_credentials,
    kept,
    kept_token,
)


def test_what_was_made_is_kept_for_the_owner_alone(tmp_path: Path) -> None:
    keep_credentials(tmp_path, FirstCredentials("a password", "a token"))
    assert (tmp_path / PASSWORD_FILE).read_text() == "a password\n"
    assert kept_token(tmp_path) == "a token"
    for name in (PASSWORD_FILE, TOKEN_FILE):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == [PASSWORD_FILE, TOKEN_FILE]


def test_what_is_not_made_anew_stays(tmp_path: Path) -> None:
    keep_credentials(tmp_path, FirstCredentials("a password", "a token"))
    keep_credentials(tmp_path, FirstCredentials(None, "another token"))
    assert (tmp_path / PASSWORD_FILE).read_text() == "a password\n"
    assert kept_token(tmp_path) == "another token"


def test_where_nothing_was_made_nothing_is_kept(tmp_path: Path) -> None:
    keep_credentials(tmp_path, FirstCredentials(None, None))
    assert kept(tmp_path, PASSWORD_FILE) is None
    assert kept_token(tmp_path) is None
