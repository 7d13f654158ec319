"""Log lines on a terminal."""

import json

import pytest

from callboard.cli.lines import matters, render


def _line(**fields: object) -> str:
    return render(
        "worker", json.dumps({"timestamp": "2026-01-01T00:00:00.000Z", "level": "info", **fields})
    ).plain


def test_a_line_says_when_who_what_and_the_fields_that_matter() -> None:
    line = _line(
        event="Run ended.", part="worker", logger="x", action="run_ended", job="greet", state="failed"
    )
    assert line.split(" ", 1)[1] == "worker    Run ended  job=greet  state=failed"


def test_an_exception_is_shown_by_its_last_line() -> None:
    line = _line(
        event="It failed.", exception="Traceback (most recent call last):\n  x\nValueError: of no use"
    )
    assert line.endswith("ValueError: of no use")
    assert "Traceback" not in line


def test_every_line_takes_one_line() -> None:
    assert "\n" not in _line(event="one", note="two\nthree", long="x" * 500)
    assert len(_line(event="one", long="x" * 500)) < 200


@pytest.mark.parametrize(
    "raw", ["plain words", "{not json}", "[1]", '"text"', "{}", "", "\x1b[31mred\x1b[0m"]
)
def test_a_line_of_any_shape_is_shown(raw: str) -> None:
    assert render("panel", raw).plain.endswith(f"panel     {raw}")


def test_markup_in_a_line_is_text() -> None:
    assert _line(event="[bold]not markup[/bold]").endswith("[bold]not markup[/bold]")


def test_everyday_lines_of_libraries_are_left_out_and_nothing_else_is() -> None:
    def line(**fields: object) -> str:
        return json.dumps({"event": "x", "level": "info", "logger": "uvicorn.error", **fields})

    assert not matters(line())
    assert matters(line(level="warning"))
    assert matters(line(logger="callboard.worker"))
    assert matters(line(logger="dramatiq.worker", run="the run of a job that logs so"))
    assert matters("a plain line")
    assert matters("[]")
