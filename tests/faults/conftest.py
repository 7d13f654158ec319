"""The two sides on which every fault is tried."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from callboard.core.settings import Settings
from helpers.faults import Scale, Side, Violation

Scenario = Callable[[Side], Any]


@pytest.fixture
def ours_at(settings: Settings, tmp_path: Path) -> Iterator[Callable[..., Side]]:
    """Makes Callboard's side, at another scale than usual."""
    with ExitStack() as sides:

        def made(**scale: int) -> Side:
            side = Side("ours", settings, tmp_path, Scale(**scale))
            sides.callback(side.close)
            return side

        yield made


@pytest.fixture
def ours(ours_at: Callable[..., Side]) -> Side:
    """Callboard."""
    return ours_at()


@pytest.fixture
def violated_by_stock(settings: Settings, tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Requires that plain Dramatiq with Periodiq violates a scenario, in the way that is told.

    A dead worker's messages are rescued there with one command in a thousand: that may be lucky, but not
    each time (`tries`).
    """
    with ExitStack() as sides:

        def violated(scenario: Scenario, what: str, *, tries: int = 1, **scale: int) -> None:
            for _ in range(tries):
                side = Side("stock", settings, tmp_path, Scale(**scale))
                sides.callback(side.close)
                told = _violation(scenario, side)
                if told is not None:
                    assert re.search(what, told), told
                    return
            pytest.fail("Plain Dramatiq holds it as well: this scenario proves nothing.")

        yield violated


def _violation(scenario: Scenario, side: Side) -> str | None:
    try:
        scenario(side)
    except Violation as violation:
        return str(violation)
    return None
