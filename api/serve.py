"""The API's process."""

import signal
import socket
from types import FrameType

import uvicorn
from fastapi import FastAPI

from callboard.api.app import create_app
from callboard.core.logging import configure_logging, get_logger
from callboard.core.settings import Settings

log = get_logger(__name__)

#: Requests under way have this many seconds to end when the server stops.
GRACE_S = 10
#: Idle connections are kept for this many seconds, longer than load balancers keep theirs.
KEEP_ALIVE_S = 75


class Server(uvicorn.Server):
    """A server that, when it stops, first answers those who wait for runs: the runs go on without it."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        self.app = app
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                access_log=False,
                log_config=None,
                server_header=False,
                ws="none",
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=GRACE_S,
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop taking requests and end."""
        self.app.state.waiting.close()
        await super().shutdown(sockets)


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, and then return."""
    configure_logging("api", settings)
    server = Server(create_app(settings), settings.callboard_host, settings.callboard_api_port)

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    # Uvicorn's own handlers give way to these when it has stopped, and then it raises the signal once more.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    log.info(
        "The API starts.",
        action="api_starts",
        host=settings.callboard_host,
        port=settings.callboard_api_port,
    )
    server.run()
