"""The panel's process: Streamlit as an ASGI application behind the gate, under uvicorn."""

import gc
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import streamlit
import uvicorn
from anyio import to_thread
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp
from streamlit.web import bootstrap

from callboard.control.auth.oidc import Provider
from callboard.control.reads.jobs import jobs
from callboard.core.errors import CallboardError, Conflict
from callboard.core.logging import get_logger
from callboard.core.settings import Settings, load_settings
from callboard.panel import charts, home, parts, signin, signin_oidc
from callboard.panel.gate import Gate

log = get_logger(__name__)

SCRIPT = Path(__file__).resolve().parent / "app.py"

#: What the first page would otherwise be kept waiting for.
SLOW_IMPORTS = ("altair", "pandas", "pyarrow.pandas_compat", "PIL.Image", "streamlit.material_icon_names")

#: The largest message (bytes) over a websocket.
MESSAGE_BYTES = 64 * 1024 * 1024


def make_app(settings: Settings) -> ASGIApp:
    """The panel as an ASGI application. Streamlit allows one to a process."""
    home.settle(settings)
    door = home.Entrance()
    gate = Middleware(Gate, known=door.known)
    app = streamlit.App(SCRIPT, lifespan=lifespan, routes=doors(settings, door), middleware=[gate])
    # With the script known, Streamlit reads panel/.streamlit/config.toml; these go over it.
    bootstrap.load_config_options(
        {"server.address": settings.callboard_host, "server.port": settings.callboard_panel_port}
    )
    return app


def doors(settings: Settings, door: home.Entrance) -> list[Route]:
    """The routes outside the pages: those of the password, and of a provider where one is named.

    Raises:
        BadSettings: something of the provider is not set.
    """
    if not settings.callboard_oidc_issuer:
        return signin.routes(door)
    provider = Provider(settings)
    return [
        *signin.routes(door, provider.label),
        *signin_oidc.routes(home.Lobby(provider), provider.label, settings.callboard_panel_url),
    ]


@asynccontextmanager
async def lifespan(_app: streamlit.App) -> AsyncIterator[None]:
    await to_thread.run_sync(warm)
    # Streamlit collects garbage after every rerun; what was imported need not be walked each time.
    gc.collect()
    gc.freeze()
    yield
    home.context().close()


def warm() -> None:
    """Import what pages need, and read once, so that the first page is as quick as the next."""
    for name in SLOW_IMPORTS:
        import_module(name)
    for package in (charts, parts):
        for module in iter_modules(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    with suppress(CallboardError):
        jobs(home.context())


def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        Conflict: the port is taken.
    """
    listener = listen(settings.callboard_host, settings.callboard_panel_port)
    config = uvicorn.Config(
        make_app(settings),
        ws="websockets-sansio",
        ws_max_size=MESSAGE_BYTES,
        ws_per_message_deflate=False,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    host, port = listener.getsockname()[:2]
    log.info("The panel starts.", action="panel_starts", host=host, port=port)
    with listener:
        uvicorn.Server(config).run(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes any free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=512)
        # Of a socket that it has not made itself asyncio leaves Nagle's algorithm on: the last part of a page
        # would wait some 40 ms until the browser has acknowledged the one before.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as error:
        raise Conflict(
            f"The panel cannot listen on {host}:{port} ({error.strerror}); "
            "set CALLBOARD_HOST and CALLBOARD_PANEL_PORT to an address that is free."
        ) from None


def main() -> int:
    """`python -m callboard.panel.serve`: the settings come from the environment."""
    # uvicorn ends in good order and then raises the signal again, which is to be no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        run(load_settings())
    except CallboardError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
