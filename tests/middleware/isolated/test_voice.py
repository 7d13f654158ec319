"""What isolated runs say, heard while they run."""

from pathlib import Path
from typing import Any

from callboard import progress
from callboard.core.logging import get_logger
from callboard.middleware.broker import Broker
from helpers.isolated import BLOCKING, isolated
from helpers.waiting import wait_for
from helpers.workers import (
    events,
    final_event,
    logged,
    run_events,
    working,
)


def test_what_a_run_says_is_heard_while_it_runs(broker: Broker, tmp_path: Path) -> None:
    # Given a job that logs, and says how far it is, and then waits
    @isolated
    def work() -> None:
        log = get_logger("app")
        for number in range(1, 51):
            progress(number, 50, "steps")
        log.warning("Half way.", step=50)
        wait_for((tmp_path / "go").exists)
        log.warning("Done.")

    def said() -> dict[str, Any] | None:
        found = [event for event in events(broker) if event.get("logs") or event.get("prg")]
        lines = [text for event in found for _, _, text in event.get("logs", ())]
        told = [event["prg"] for event in found if "prg" in event]
        return {"lines": lines, "progress": told[-1]} if lines and told and told[-1]["done"] == 50 else None

    message = work.send()
    with working(broker):
        # Then both are known before it ends
        before = wait_for(said, what="its words")
        assert not [event for event in run_events(broker, message) if "fin" in event]
        (tmp_path / "go").touch()
        event = final_event(broker, message)
    assert before == {
        "lines": ["Half way. step=50"],
        "progress": {"done": 50, "total": 50, "note": "steps"},
    }
    assert logged(broker, message) == ["Half way. step=50", "Done."]
    assert event["prg"]["done"] == 50


def test_what_a_run_says_last_before_it_is_killed_is_kept(broker: Broker) -> None:
    @isolated(time_limit=2_000)
    def work() -> None:
        progress(1, 2)
        get_logger("app").warning("Now for the hard part.")
        BLOCKING["lock"]()

    with working(broker):
        event = final_event(broker, work.send())
    lines = [text for each in events(broker) for _, _, text in each.get("logs", ())]
    assert lines == ["Now for the hard part."]
    assert event["prg"]["done"] == 1


def test_lines_and_results_are_limited_as_elsewhere(broker: Broker) -> None:
    @isolated
    def talk() -> str:
        log = get_logger("app")
        for number in range(1_200):
            log.warning("x" * (20_000 if number == 0 else 1))
        return "y" * 20_000_000

    with working(broker):
        message = talk.send()
        event = final_event(broker, message, timeout=30)
    lines = [text for each in events(broker) for _, _, text in each.get("logs", ())]
    assert len(lines) == 1_001
    assert lines[0].endswith("of 20000 characters]")
    assert lines[-1] == "[cut: only the first 1000 lines are kept]"
    assert event["res"]["bytes"] > 20_000_000
    assert event["s"] == "succeeded"
