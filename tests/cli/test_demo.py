"""`callboard demo`."""

from typing import Any

from sqlalchemy import Engine


def test_demo_data_are_filled_in_once_and_removed(run: Any, installed: Engine) -> None:
    assert "30 customers now" in run("demo", "seed", "--customers", "30").out
    again = run("demo", "seed", "--customers", "30")
    assert again.code != 0
    assert "--replace" in again.err
    assert "20 customers now" in run("demo", "seed", "--customers", "20", "--replace", "--yes").out
    assert "there were 20 customers" in run("demo", "clear", "--yes").out
