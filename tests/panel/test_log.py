"""A run's log on its page: what it says, when in UTC, and how much of it."""

from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from callboard.control.reads.runs import LogLine
from callboard.panel.parts import log as logs

AT = datetime(2026, 11, 22, 12, 0, 3, 250_000, tzinfo=UTC)


def page_of(monkeypatch: pytest.MonkeyPatch, *found: LogLine) -> AppTest:
    def page(found: object) -> None:
        from callboard.panel.parts.log import log

        log("a-run", found)  # type: ignore[arg-type]

    monkeypatch.setattr(logs, "viewer_zone", lambda: "Asia/Tokyo")
    return AppTest.from_function(page, args=(found,)).run()


def line(number: int, message: str, level: str = "info", attempt: int = 1) -> LogLine:
    return LogLine(attempt, number, AT + timedelta(seconds=number), level, message)


def test_a_line_has_the_viewers_time_and_tells_its_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    (shown,) = page_of(monkeypatch, line(0, "Begun")).html

    assert 'title="2026-11-22 12:00:03.250 UTC"' in shown.value
    assert ">21:00:03.250</span>  INFO     Begun</div>" in shown.value


def test_a_line_is_text_whatever_it_would_like_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    (shown,) = page_of(monkeypatch, line(0, "<img src=x>\u202e", level="<b>")).html

    assert "<img" not in shown.value
    assert "<b>" not in shown.value.lower()
    assert "\u202e" not in shown.value


def test_attempts_are_told_apart_where_there_are_several(monkeypatch: pytest.MonkeyPatch) -> None:
    (shown,) = page_of(monkeypatch, line(0, "One", "error"), line(1, "Two", attempt=2)).html

    assert "#1</span>" in shown.value
    assert "#2</span>" in shown.value
    assert f"color:{logs.RED}" in shown.value


def test_of_a_long_log_the_end_is_sent_and_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    many = page_of(monkeypatch, *(line(number, f"Line {number}") for number in range(logs.SHOWN + 5)))
    wide = page_of(monkeypatch, line(0, "first"), line(1, "y" * logs.LONGEST))

    assert [each.value for each in many.caption] == ["The end of 2,005 lines"]
    assert "Line 4<" not in many.html[0].value
    assert "Line 5<" in many.html[0].value
    assert f"Line {logs.SHOWN + 4}<" in many.html[0].value
    assert [each.value for each in wide.caption] == ["The end of 2 lines"]
    assert "first" not in wide.html[0].value
    assert len(wide.html[0].value) < logs.LONGEST + 1_000


def test_a_log_of_nothing_says_where_lines_come_from(monkeypatch: pytest.MonkeyPatch) -> None:
    (said,) = page_of(monkeypatch).caption

    assert said.value.startswith("It logged nothing.")


def test_the_file_has_dates_in_utc_and_every_line() -> None:
    found = [line(0, "Begun"), line(1, "Done", "warning", attempt=2)]

    assert logs.written(found).splitlines() == [
        "2026-11-22T12:00:03.250  #1  INFO     Begun",
        "2026-11-22T12:00:04.250  #2  WARNING  Done",
    ]
