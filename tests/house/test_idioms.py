"""The idioms that the page about writing jobs shows, run as they stand."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from callboard.middleware.declare import describe_actors
from helpers.house import ROOT

PAGE = (ROOT / "docs" / "writing-jobs.md").read_text(encoding="utf-8")


def example(title: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module that a section's example makes."""
    section = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    (source,) = re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    path = folder / "example_of_idioms.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, path.stem, module)
    spec.loader.exec_module(module)
    return module


def test_an_item_that_fails_is_counted_and_logged_with_its_context(
    broker: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = example("Logs with context, item by item", tmp_path, monkeypatch)

    result = module.import_orders([{"id": 1, "total": 7}, {"id": 2}])

    assert result == {"processed": 1, "failed": 1}
    (job,) = describe_actors(broker)
    assert (job["time_limit_ms"], job["max_attempts"]) == (600_000, 3)


def test_a_health_check_says_what_is_not_well(
    broker: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLBOARD_ENV", "uat")
    module = example("A health check of one's own", tmp_path, monkeypatch)

    assert module.check_my_services()["checks"] == {"database": True, "storage": True}
    monkeypatch.setattr(module, "checks", lambda: {"database": True, "storage": False})
    with pytest.raises(RuntimeError, match=r"Not well: storage\."):
        module.check_my_services()
    (job,) = describe_actors(broker)
    assert job["schedules"][0]["expr"] == "*/15 * * * *"
