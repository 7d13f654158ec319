"""The ports of the API, the panel and the sandbox."""

import os
import socket

import pytest

from callboard.control.addresses import check_free, choose_ports, url
from callboard.core.errors import BadSettings, Conflict
from callboard.core.settings import load_settings


def test_port_0_becomes_a_free_port() -> None:
    chosen = choose_ports(load_settings({"CALLBOARD_API_PORT": "0", "CALLBOARD_PANEL_PORT": "0"}))
    assert chosen.callboard_api_port not in (0, chosen.callboard_panel_port)
    assert chosen.callboard_panel_port != 0


@pytest.mark.parametrize("setting", ["CALLBOARD_API_PORT", "CALLBOARD_PANEL_PORT"])
def test_a_taken_port_is_named_with_its_setting(setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        both = {"CALLBOARD_API_PORT": "0", "CALLBOARD_PANEL_PORT": "0"} | {setting: str(port)}
        with pytest.raises(Conflict, match=rf"Port {port} .* set {setting} to a free port"):
            choose_ports(load_settings(both))


def test_a_port_that_was_just_let_go_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            listener.accept()[0].close()
    assert check_free("127.0.0.1", port, "API", "CALLBOARD_API_PORT") == port


def test_the_same_port_for_both_is_refused() -> None:
    with pytest.raises(BadSettings, match="cannot share port 9000"):
        choose_ports(load_settings({"CALLBOARD_API_PORT": "9000", "CALLBOARD_PANEL_PORT": "9000"}))


def test_a_host_that_is_not_here_is_refused_by_its_setting() -> None:
    with pytest.raises(BadSettings, match=r"CALLBOARD_HOST.*'192\.0\.2\.1'"):
        choose_ports(load_settings({"CALLBOARD_HOST": "192.0.2.1", "CALLBOARD_API_PORT": "0"}))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may listen on any port")
def test_a_port_that_the_user_may_not_have_is_refused() -> None:
    with pytest.raises(BadSettings, match="CALLBOARD_API_PORT to a port from 1024 on"):
        check_free("127.0.0.1", 80, "API", "CALLBOARD_API_PORT")


SANDBOX = {"CALLBOARD_API_PORT": "0", "CALLBOARD_PANEL_PORT": "0"}


def test_where_a_sandbox_is_wanted_its_addresses_are_settled() -> None:
    ports = {"CALLBOARD_SANDBOX_PORT": "0", "CALLBOARD_SANDBOX_SMTP_PORT": "0"}

    chosen = choose_ports(load_settings({**SANDBOX, **ports}))

    http, mail = chosen.callboard_sandbox_port, chosen.callboard_sandbox_smtp_port
    assert 0 not in (http, mail)
    assert chosen.callboard_sandbox_url == f"http://127.0.0.1:{http}"
    assert chosen.callboard_sandbox_smtp_url == f"smtp://sandbox:sandbox@127.0.0.1:{mail}"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"CALLBOARD_SANDBOX": "off"}, ""),
        ({"CALLBOARD_SANDBOX_URL": "http://127.0.0.1:9"}, "http://127.0.0.1:9"),
    ],
    ids=["switched off", "another one is named"],
)
def test_where_none_is_wanted_none_has_an_address(given: dict[str, str], url: str) -> None:
    assert choose_ports(load_settings({**SANDBOX, **given})).callboard_sandbox_url == url


def test_a_taken_port_that_nobody_named_for_the_sandbox_is_replaced_and_a_named_one_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        unnamed = load_settings(SANDBOX).model_copy(update={"callboard_sandbox_port": port})
        unnamed.model_fields_set.discard("callboard_sandbox_port")
        assert choose_ports(unnamed).callboard_sandbox_port not in (0, port)

        with pytest.raises(Conflict, match=r"set CALLBOARD_SANDBOX_PORT to a free port"):
            choose_ports(load_settings({**SANDBOX, "CALLBOARD_SANDBOX_PORT": str(port)}))


def test_the_sandbox_does_not_serve_two_things_on_one_port() -> None:
    same = {"CALLBOARD_SANDBOX_PORT": "9000", "CALLBOARD_SANDBOX_SMTP_PORT": "9000"}
    with pytest.raises(BadSettings, match="cannot serve HTTP and mail on one port, 9000"):
        choose_ports(load_settings({**SANDBOX, **same}))


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("board.example", "http://board.example:8000"),
    ],
)
def test_a_browser_on_this_machine_can_open_the_url(host: str, shown: str) -> None:
    assert url(host, 8000) == shown
