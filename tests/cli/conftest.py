"""The command line within the test's process, and an instance for it to find."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine

from callboard.cli.main import main
from callboard.core.settings import Settings
from helpers.declarations import declare, job


@dataclass(frozen=True)
class Done:
    """What a command did."""

    code: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Run a command with no settings but those of the test."""
    names = (
        "DATABASE_URL",
        "REDIS_URL",
        "CALLBOARD_API_TOKEN",
        "CALLBOARD_LOG_LEVEL",
        "LOG_LEVEL",
        "COLUMNS",
    )
    for name in names:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CALLBOARD_HOME", str(tmp_path / "home"))

    def run(*arguments: str) -> Done:
        capfd.readouterr()
        code = main(list(arguments))
        out, err = capfd.readouterr()
        return Done(code, out, err)

    return run


@pytest.fixture
def installed(run: Command, settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Servers that the settings name, and two jobs in the database."""
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REDIS_URL", settings.redis_url)
    monkeypatch.setenv("CALLBOARD_NAMESPACE", settings.callboard_namespace)
    parameter = {"name": "name", "kind": "positional_or_keyword", "type": "str", "default": None}
    times = {"name": "times", "kind": "keyword_only", "type": "int", "default": 1, "required": False}
    declare(
        engine,
        job("health-check", "*/5 * * * *"),
        job("greet", category="people", signature=[parameter | {"required": True}, times]),
    )
    return engine
