"""The addresses of the API, the panel and the sandbox: free ones, or a sentence that says which is taken."""

import errno
import socket

from callboard.core.errors import BadSettings, Conflict
from callboard.core.settings import Settings
from callboard.sandbox import addresses as sandbox


def choose_ports(settings: Settings) -> Settings:
    """The settings with every port that was 0 replaced by a free one, and where the sandbox will be.

    Raises:
        Conflict: a port is taken.
        BadSettings: the host is no address of this machine, or both ports are the same.
    """
    api, panel = settings.callboard_api_port, settings.callboard_panel_port
    if api == panel != 0:
        raise BadSettings(
            f"The API and the panel cannot share port {api}: "
            "set CALLBOARD_API_PORT or CALLBOARD_PANEL_PORT to another."
        )
    chosen = {
        "callboard_api_port": check_free(settings.callboard_host, api, "API", "CALLBOARD_API_PORT"),
        "callboard_panel_port": check_free(settings.callboard_host, panel, "panel", "CALLBOARD_PANEL_PORT"),
    }
    settings = settings.model_copy(update=chosen)
    return _choose_sandbox(settings) if settings.wants_sandbox else settings


def check_sandbox(settings: Settings) -> dict[str, int]:
    """The sandbox's ports, those that were 0 replaced by free ones.

    Raises:
        Conflict: a port is taken.
        BadSettings: this user may not listen there, or both ports are the same.
    """
    http, mail = settings.callboard_sandbox_port, settings.callboard_sandbox_smtp_port
    if http == mail != 0:
        raise BadSettings(
            f"The sandbox cannot serve HTTP and mail on one port, {http}: "
            "set CALLBOARD_SANDBOX_PORT or CALLBOARD_SANDBOX_SMTP_PORT to another."
        )
    return {
        "callboard_sandbox_port": check_free(sandbox.HOST, http, "sandbox", "CALLBOARD_SANDBOX_PORT"),
        "callboard_sandbox_smtp_port": check_free(
            sandbox.HOST, mail, "sandbox's mail", "CALLBOARD_SANDBOX_SMTP_PORT"
        ),
    }


def _choose_sandbox(settings: Settings) -> Settings:
    try:
        ports = check_sandbox(settings)
    except Conflict:
        if settings.model_fields_set & {"callboard_sandbox_port", "callboard_sandbox_smtp_port"}:
            raise
        # Nobody has named the ports, and nobody needs to know them.
        anywhere = {"callboard_sandbox_port": 0, "callboard_sandbox_smtp_port": 0}
        ports = check_sandbox(settings.model_copy(update=anywhere))
    mail = sandbox.smtp_url(ports["callboard_sandbox_smtp_port"], settings.callboard_sandbox_token)
    where = {
        "callboard_sandbox_url": sandbox.http_url(ports["callboard_sandbox_port"]),
        "callboard_sandbox_smtp_url": mail,
    }
    return settings.model_copy(update={**ports, **where})


def url(host: str, port: int) -> str:
    """The URL by which a browser on this machine reaches what listens there."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def check_free(host: str, port: int, name: str, setting: str) -> int:
    """The port, or a free one for 0.

    Raises:
        Conflict: the port is taken.
        BadSettings: this user may not listen there, or the host is no address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family) as listener:
            return int(listener.getsockname()[1])
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Conflict(
                f"Port {port} on {host} is taken, so the {name} cannot listen there: "
                f"set {setting} to a free port."
            ) from None
        if error.errno in (errno.EACCES, errno.EPERM):
            raise BadSettings(
                f"This user may not listen on port {port}: set {setting} to a port from 1024 on."
            ) from None
        raise BadSettings(
            f"The setting CALLBOARD_HOST is wrong: {host!r} is no address of this machine ({error.strerror})."
        ) from None
