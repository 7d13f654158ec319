"""The parts' log files."""

import json
import stat
from pathlib import Path

from callboard.control.supervisor.logs import KEPT, LogFile, as_json, event_of


def test_a_long_log_is_put_aside_and_the_oldest_is_dropped(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "part.log", max_bytes=100)
    for number in range(100):
        log.write(f"line {number:>10}")
    log.close()
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["part.log", *(f"part.log.{number}" for number in range(1, KEPT))][: len(files)]
    kept = "".join((tmp_path / name).read_text() for name in reversed(files)).split("line")[1:]
    numbers = [int(each) for each in kept]
    assert numbers == list(range(numbers[0], 100)), "what is kept is the last of it, without gaps"
    assert all(path.stat().st_size <= 100 + 16 for path in tmp_path.iterdir())


def test_a_log_goes_on_where_the_last_process_left_it(tmp_path: Path) -> None:
    for line in ("first", "second"):
        log = LogFile(tmp_path / "logs" / "part.log")
        log.write(line)
        log.close()
    path = tmp_path / "logs" / "part.log"
    assert path.read_text() == "first\nsecond\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_log_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file where a folder should be")
    log = LogFile(tmp_path / "logs" / "part.log")
    log.write("lost")
    log.write("lost too")


def test_a_line_that_is_no_json_becomes_some() -> None:
    assert json.loads(as_json("panel", "a 'plain' \"line\""))["event"] == "a 'plain' \"line\""
    assert as_json("panel", '{"event": "x"}') == '{"event": "x"}'


def test_what_a_line_says_survives_lines_of_any_shape() -> None:
    assert event_of("[1, 2]") == "[1, 2]"
    assert event_of("  plain ") == "plain"
    assert event_of('{"no": "event"}') == '{"no": "event"}'
    assert event_of('{"event": "said", "reason": null}') == "said"
