"""What the process holds once: the context of the system, and the entrance over it."""

from collections.abc import Mapping

from callboard.control.auth import log_in, log_out, session_principal
from callboard.control.auth.oidc import Provider
from callboard.control.auth.vouched import log_in_vouched
from callboard.control.context import Context
from callboard.core.errors import CallboardError
from callboard.core.settings import Settings, load_settings

_held: list[Context] = []


def settle(settings: Settings) -> None:
    """Work with these settings from now on; what was opened with others is closed."""
    while _held:
        _held.pop().close()
    _held.append(Context(settings, application_name="callboard panel"))


def context() -> Context:
    """The process's context; with the settings of the environment where none were given."""
    if not _held:
        settle(load_settings())
    return _held[0]


class Entrance:
    """Sessions, as the sign-in routes and the gate need them."""

    def sign_in(self, name: str, password: str, address: str) -> str:
        return log_in(context(), name, password, address=address).token

    def sign_out(self, token: str) -> None:
        log_out(context(), token)

    def known(self, token: str) -> bool:
        try:
            return session_principal(context(), token) is not None
        except CallboardError:
            return False


class Lobby:
    """The provider, as the routes need it."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def begin(self, back: str, onward: str) -> tuple[str, str]:
        begun = self._provider.begin(back, onward)
        return begun.address, begun.ticket

    def finish(self, ticket: str, back: str, answer: Mapping[str, str], address: str) -> tuple[str, str]:
        vouched = self._provider.finish(ticket, back, answer)
        return log_in_vouched(context(), vouched, address=address).token, vouched.onward

    def way_out(self, back: str) -> str | None:
        return self._provider.way_out(back)
