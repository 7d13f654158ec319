"""Where a broker's Redis is."""

from typing import Any

import pytest

from callboard.core.errors import BadInput
from callboard.middleware.address import REFUSED
from callboard.middleware.broker import Broker


def reached(**options: Any) -> tuple[Any, Any, Any]:
    """The host, port and database that a broker's connections go to."""
    made = Broker(**options)
    for client in (made.client, made.direct):
        found = client.connection_pool.connection_kwargs
    return found["host"], found["port"], found["db"]


def test_without_anything_it_is_where_dramatiq_looks_as_well() -> None:
    assert reached() == ("127.0.0.1", 6379, 0)


def test_an_address_in_parts_is_heard_as_in_dramatiq() -> None:
    assert reached(host="redis.example", port=7000, db=3) == ("redis.example", 7000, 3)
    assert reached(host="::1") == ("::1", 6379, 0)
    assert Broker(host="redis.example").url == "redis://redis.example:6379/0"


def test_a_url_goes_before_its_parts_as_in_dramatiq() -> None:
    assert reached(url="redis://one:1/2", host="two", port=2, db=1) == ("one", 1, 2)


@pytest.mark.parametrize("name", REFUSED)
def test_what_only_dramatiqs_broker_takes_is_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(BadInput, match=f"callboard.Broker takes no {name}; "):
        Broker(**{name: None})  # type: ignore[arg-type]
