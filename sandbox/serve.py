"""The sandbox's process: HTTP and SMTP, on this machine alone."""

import asyncio
import signal
import socket
from types import FrameType

import uvicorn

from callboard.core.logging import configure_logging, get_logger
from callboard.core.settings import Settings
from callboard.sandbox import smtp
from callboard.sandbox.addresses import HOST, http_url, smtp_url
from callboard.sandbox.app import create_app
from callboard.sandbox.state import State

log = get_logger(__name__)

#: Requests under way have this many seconds to end when it stops.
GRACE_S = 2


class Server(uvicorn.Server):
    """Both servers in one loop, on sockets that listen already."""

    def __init__(self, state: State, http: socket.socket, mail: socket.socket) -> None:
        self.state = state
        self.url = http_url(http.getsockname()[1])
        self.smtp_url = smtp_url(mail.getsockname()[1], state.token)
        self._front = create_app(state)
        self._http = http
        self._mail = mail
        self._mail_server: asyncio.Server | None = None
        super().__init__(
            uvicorn.Config(
                self._front,
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                ws="none",
                timeout_graceful_shutdown=GRACE_S,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve."""
        knob = self._front.knobs.of(smtp.NAME)
        assert knob is not None  # noqa: S101 - for the type checker
        self._mail_server = await asyncio.get_running_loop().create_server(
            lambda: smtp.make_session(self.state, knob), sock=self._mail
        )
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving."""
        if self._mail_server is not None:
            self._mail_server.close()
        await super().shutdown(sockets)

    def serve_until_told(self) -> None:
        """Serve until `should_exit` is set."""
        self.run([self._http])


def listen(port: int) -> socket.socket:
    """A socket that listens there; on a free port for 0."""
    # Of a socket that does not name TCP, asyncio leaves Nagle's algorithm on: 40 ms for each answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(2_048)
    except OSError:
        listener.close()
        raise
    return listener


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, and then return."""
    configure_logging("sandbox", settings)
    with (
        listen(settings.callboard_sandbox_port) as http,
        listen(settings.callboard_sandbox_smtp_port) as mail,
    ):
        server = Server(State(settings.callboard_sandbox_token), http, mail)

        def stop(_number: int, _frame: FrameType | None) -> None:
            server.should_exit = True

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        port = mail.getsockname()[1]
        log.info("The sandbox starts.", action="sandbox_starts", url=server.url, smtp_port=port)
        server.serve_until_told()
