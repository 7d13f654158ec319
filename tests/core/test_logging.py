"""Every line that a process logs: its shape, its context, and what never stands in it."""

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from callboard.core import hiding
from callboard.core import logging as logs
from callboard.core.settings import load_settings

PASSWORD = "correct-horse-battery"


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What would be standard error; all that is global about logging is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in logs.TALKATIVE}
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(logs, "_contexts", [])
    monkeypatch.setattr(hiding, "_secrets", set())
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def lines_of(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_the_part_the_logger_and_the_fields(stream: io.StringIO) -> None:
    logs.configure_logging("scheduler", stream=stream)

    logs.get_logger("callboard.test").info("Slot fired.", action="slot_fired", late_ms=3)

    (line,) = lines_of(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "info",
        "event": "Slot fired.",
        "part": "scheduler",
        "logger": "callboard.test",
        "action": "slot_fired",
        "late_ms": 3,
    }


@pytest.mark.parametrize("source", ["standard", "structlog", "callboard"])
def test_all_loggers_go_through_the_same_formatter(stream: io.StringIO, source: str) -> None:
    logs.configure_logging("worker", stream=stream)

    if source == "standard":
        logging.getLogger("lib").warning("It is %d.", 5, extra={"action": "told"})
    elif source == "structlog":
        structlog.get_logger("lib").warning("It is %d.", 5, action="told")
    else:
        logs.get_logger("lib").warning("It is %d.", 5, action="told")

    (line,) = lines_of(stream)
    assert line["event"] == "It is 5."
    assert line["action"] == "told"
    assert line["level"] == "warning"


def test_the_context_of_the_thread_that_logs_is_added(stream: io.StringIO) -> None:
    logs.configure_logging("worker", stream=stream)
    logs.add_context(lambda: {"job": threading.current_thread().name})

    thread = threading.Thread(target=logging.getLogger("lib").error, args=("Oh.",), name="a-job")
    thread.start()
    thread.join()

    assert lines_of(stream)[0]["job"] == "a-job"


def test_a_field_named_like_one_of_a_records_own_attributes_does_no_harm(stream: io.StringIO) -> None:
    logs.configure_logging("worker", stream=stream)

    logs.get_logger("lib").info("Made.", name="jane", args=[1], message="hello")

    (line,) = lines_of(stream)
    assert (line["name"], line["args"], line["message"]) == ("jane", [1], "hello")


def test_values_that_json_does_not_know_are_shown_as_text(stream: io.StringIO) -> None:
    logs.configure_logging("worker", stream=stream)

    logs.get_logger("lib").info("Odd.", odd={1: {2}, "huge": 2**80})

    assert lines_of(stream)[0]["odd"] == {"1": "{2}", "huge": 2**80}


def test_a_traceback_is_part_of_the_one_line(stream: io.StringIO) -> None:
    logs.configure_logging("worker", stream=stream)

    try:
        raise ValueError("no such thing")
    except ValueError:
        logs.get_logger("lib").exception("It failed.")

    (line,) = lines_of(stream)
    assert line["exception"].endswith("ValueError: no such thing")
    assert "Traceback" in line["exception"]


def test_the_level_of_the_settings_holds(stream: io.StringIO) -> None:
    logs.configure_logging("worker", load_settings({"CALLBOARD_LOG_LEVEL": "warning"}), stream=stream)

    logs.get_logger("lib").info("Not this.")
    structlog.get_logger("lib").info("Nor this.")
    logging.getLogger("lib").info("Nor that.")
    logs.get_logger("lib").warning("But this.")

    assert [line["event"] for line in lines_of(stream)] == ["But this."]


def test_a_terminal_gets_lines_for_a_person(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "isatty", lambda: True)
    logs.configure_logging("worker", stream=stream)

    logs.get_logger("lib").info("Slot fired.", job="health-check")

    text = stream.getvalue()
    assert "Slot fired." in text
    assert "health-check" in text
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)


@pytest.mark.parametrize("as_json", [True, False])
def test_no_secret_of_the_settings_is_ever_written(stream: io.StringIO, as_json: bool) -> None:
    # Given settings with a password in an address and a token
    settings = load_settings(
        {
            "DATABASE_URL": f"postgresql://callboard:{PASSWORD}@db.internal/callboard",
            "CALLBOARD_API_TOKEN": 'a "quoted" token',
        }
    )
    logs.configure_logging("api", settings, as_json=as_json, stream=stream)
    log = logs.get_logger("lib")

    # When they turn up in a text, in a field, in a nested field and in an exception
    log.info("The password is %s, the token is %s", PASSWORD, 'a "quoted" token')
    log.info("Settings.", values={"deep": [PASSWORD, 'a "quoted" token']})
    try:
        raise RuntimeError(f"cannot connect to {settings.database_url}")
    except RuntimeError:
        log.exception("Failed.")

    # Then none of them is in what was written, and the rest is
    written = stream.getvalue()
    assert PASSWORD not in written
    assert "quoted" not in written
    assert "db.internal" in written


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://:hunter2@cache:6379/0", "redis://:***@cache:6379/0"),
        ("at https://me:hunter2@example.org/x?y=1", "at https://me:***@example.org/x?y=1"),
        ("host=db password=hunter2 user=me", "host=db password=*** user=me"),
        ("/hook?access_token=hunter2&n=1", "/hook?access_token=***&n=1"),
        ("Authorization: Bearer hunter2.abc", "Authorization: Bearer ***"),
        ("http://example.org:80/a@b", "http://example.org:80/a@b"),
        ("50 tokens left", "50 tokens left"),
    ],
)
def test_secrets_are_known_by_where_they_stand(text: str, shown: str) -> None:
    assert hiding.hide(text) == shown


def test_fields_whose_names_speak_of_a_secret_are_hidden_at_any_depth() -> None:
    fields = {"name": "x", "API_TOKEN": "abc", "inner": {"db_password": b"abc", "tokens": 7}}

    assert hiding.hide_fields(fields) == {
        "name": "x",
        "API_TOKEN": "***",
        "inner": {"db_password": "***", "tokens": 7},
    }


def test_an_uncaught_exception_is_logged_without_secrets(stream: io.StringIO) -> None:
    logs.configure_logging("worker", stream=stream)

    def fail() -> None:
        raise RuntimeError("redis://:hunter2@cache is gone")

    thread = threading.Thread(target=fail, name="tender")
    thread.start()
    thread.join()

    (line,) = lines_of(stream)
    assert line["level"] == "critical"
    assert "tender" in line["event"]
    assert "redis://:***@cache is gone" in line["exception"]


def test_a_record_as_text_holds_its_fields_and_its_error_but_no_secret() -> None:
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign, assignment]
    logger = logging.getLogger("callboard.test.text")
    logger.addHandler(handler)
    try:
        logs.get_logger("callboard.test.text").error(
            "Sent %d.", 3, to="all", token="abc", exc_info=ValueError("x")
        )
    finally:
        logger.removeHandler(handler)

    assert logs.text_of(records[0]) == "Sent 3. to=all token=*** ValueError: x"
