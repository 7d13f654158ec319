"""The socket that the panel listens on."""

import socket

import pytest

from callboard.core.errors import Conflict
from callboard.panel.serve import listen


def test_what_it_sends_does_not_wait_for_acknowledgements() -> None:
    with (
        listen("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()),
    ):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_port_that_is_taken_is_refused_in_a_sentence() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]

        with pytest.raises(Conflict, match=rf"cannot listen on 127\.0\.0\.1:{port} .*CALLBOARD_PANEL_PORT"):
            listen("127.0.0.1", port)
