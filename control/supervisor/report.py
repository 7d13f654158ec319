"""What the supervisor has to say, and to whom."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Running:
    """Where everything is, once it runs.

    `embedded` names the servers that were started here, and `elsewhere` is where PostgreSQL keeps its data
    when that is not in the home. The password and the token are given only at the start that made them;
    the files hold them from then on, and are None where the environment gives them. `sandbox_url` is None
    where none was started; `sandboxed` names the services that it stands in for. `made_up` is how many
    customers this start has made up; every job runs once then.
    """

    home: Path
    embedded: tuple[str, ...]
    elsewhere: Path | None
    api_url: str
    panel_url: str
    admin_password: str | None
    api_token: str | None
    password_file: Path | None
    token_file: Path | None
    sandbox_url: str | None = None
    sandboxed: tuple[str, ...] = ()
    made_up: int = 0


class Reporter(Protocol):
    """Shows what happens. Called from several threads; it must not block for long and must not raise."""

    def step(self, text: str) -> None:
        """What is being done now, while starting or stopping."""

    def running(self, running: Running) -> None:
        """Everything runs."""

    def line(self, part: str, line: str) -> None:
        """A line that a part logged, JSON where the part logs by our formatter."""

    def trouble(self, part: str, text: str) -> None:
        """A part or server died, or came back."""
