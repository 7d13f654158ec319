"""Live parts of pages."""

from collections.abc import Callable
from typing import Any

import pytest

from callboard.panel import access


def test_streamlit_takes_no_live_part_of_one_page_for_that_of_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given what it knows a live part by, beside its place: the name of its function
    names: list[str] = []

    def fragment(function: Callable[[], None], **_: Any) -> Callable[[], None]:
        names.append(function.__qualname__)
        return function

    monkeypatch.setattr(access.st, "fragment", fragment)
    monkeypatch.setattr(access, "principal", lambda: "ada")
    drawn: list[str] = []
    banner = access.live("banner", 5)(drawn.append)
    other = access.live("other", 5)(drawn.append)

    for page in ("overview", "run"):
        monkeypatch.setattr(access, "_page", lambda page=page: page)
        banner(page)
        other(page)

    assert drawn == ["overview", "overview", "run", "run"]
    assert len(set(names)) == 4
