"""What the documents say is so."""

import importlib.util
import re
import shlex
import sys
from itertools import product
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from dramatiq import middleware as stock

import callboard
from callboard.core.settings import SECRETS, Settings
from callboard.core.states import Disposition, RunState, can_go
from callboard.core.templates import TEMPLATES
from helpers.command_lines import parses
from helpers.house import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
STATES = (ROOT / "docs" / "state-machine.md").read_text(encoding="utf-8")
JOBS = (ROOT / "docs" / "writing-jobs.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", ["README.md", "docs/architecture.md"])
def test_a_page_that_is_to_be_read_at_once_has_sixty_lines_at_most(name: str) -> None:
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= 60


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), target


def test_the_steps_drawn_are_the_steps_allowed() -> None:
    drawn = set(re.findall(r"^ +(\w+) --> (\w+)", STATES, re.MULTILINE))
    allowed = {(a.value, b.value) for a, b in product(RunState, RunState) if can_go(a, b)}

    assert drawn == allowed


def test_the_ends_drawn_are_the_states_that_nothing_leaves() -> None:
    ends = set(re.findall(r"^ +(\w+) --> \[\*\]", STATES, re.MULTILINE))

    assert ends == {a.value for a in RunState if not any(can_go(a, b) for b in RunState)}


def test_every_state_and_every_disposition_is_explained() -> None:
    explained = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (`.+?) \|", STATES, re.MULTILINE))))

    assert explained == {*RunState, *Disposition}


def test_the_job_of_the_readme_is_a_job(broker: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from callboard.middleware.declare import describe_actors

    (source,) = blocks(README, "python")
    (tmp_path / "shop.py").write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("readme_shop", tmp_path / "shop.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "readme_shop", module)
    spec.loader.exec_module(module)

    (job,) = describe_actors(broker)

    assert job["name"] == "process-promotion-deliveries"
    assert (job["time_limit_ms"], job["max_attempts"]) == (300_000, 3)
    assert [(item["expr"], item["tz"]) for item in job["schedules"]] == [("*/30 * * * *", "Europe/Paris")]
    assert module.process_promotion_deliveries(3) == {"processed": 3, "failed": 0}


def test_the_templates_shown_are_those_that_there_are() -> None:
    page = (ROOT / "docs" / "schedules.md").read_text(encoding="utf-8")

    shown = re.findall(r"^\| `([\w-]+)` \| `(.+?)` \| `(.+?)` \|$", page, re.MULTILINE)

    assert shown == [(each.slug, *each.expressions.values()) for each in TEMPLATES]


def test_the_examples_of_python_in_the_documents_compile() -> None:
    for page in PAGES:
        for number, source in enumerate(blocks(page.read_text(encoding="utf-8"), "python"), start=1):
            compile(source, f"{page.name}, example {number}", "exec")


def test_the_commands_of_the_documents_exist() -> None:
    seen = 0
    for page in PAGES:
        for block in blocks(page.read_text(encoding="utf-8"), "sh"):
            for line in block.splitlines():
                words = shlex.split(line, comments=True)
                if words[:1] == ["make"]:
                    assert_make_targets([word for word in words[1:] if "=" not in word])
                elif words and words[0].endswith("callboard"):
                    assert parses(words[1:]), line
                    seen += 1
    assert seen


def test_what_one_does_instead_of_the_old_is_there(servers: Any, settings: Settings) -> None:
    from callboard.api.app import create_app

    page = (ROOT / "docs" / "coming-from.md").read_text(encoding="utf-8")
    spans = re.findall(r"`([^`]+)`", page)
    commands = [span for span in spans if span.startswith("callboard ")]
    addresses = [span.split() for span in spans if re.match(r"(GET|POST|PUT|PATCH|DELETE) /", span)]
    paths = create_app(settings).openapi()["paths"]

    assert commands
    assert addresses
    for command in commands:
        # A run is named by its id.
        assert parses(shlex.split(command.replace("RUN", str(uuid4())))[1:]), command
    for method, path in addresses:
        assert method.lower() in paths.get(path, {}), path


def assert_make_targets(names: list[str]) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for name in names:
        assert re.search(rf"^{name}:", makefile, re.MULTILINE), name


def test_every_option_that_callboard_adds_to_actors_is_explained(broker: Any) -> None:
    documented = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (`[^|]+) \|", JOBS, re.MULTILINE))))
    kinds = (
        stock.AgeLimit,
        stock.Callbacks,
        stock.Pipelines,
        stock.Retries,
        stock.ShutdownNotifications,
        stock.TimeLimit,
    )
    dramatiqs = {option for kind in kinds for option in kind().actor_options}
    dramatiqs |= {"store_results", "result_ttl"}

    assert broker.actor_options - dramatiqs <= documented
    assert documented - {"actor_name"} <= broker.actor_options


def test_the_example_of_an_environment_names_every_setting_and_no_other() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")

    named = re.findall(r"^#?([A-Z_]+)=", text, re.MULTILINE)

    assert sorted(named) == sorted(name.upper() for name in Settings.model_fields)
    assert set(SECRETS) <= set(named)


def test_the_defaults_that_the_example_shows_are_the_defaults() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    for name, value in re.findall(r"^#([A-Z_]+)=(.+)$", text, re.MULTILINE):
        if name not in SECRETS:
            assert str(Settings.model_fields[name.lower()].default) == value, name


def test_the_changelog_has_the_version_of_the_package() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    versions = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", text, re.MULTILINE)

    assert versions[0] == callboard.__version__
    assert versions == sorted(versions, key=lambda version: tuple(map(int, version.split("."))), reverse=True)


def test_every_decision_is_listed_and_numbered_in_order() -> None:
    folder = ROOT / "docs" / "adr"
    pages = sorted(path.name for path in folder.glob("0*.md"))
    index = (folder / "README.md").read_text(encoding="utf-8")

    assert [name[:4] for name in pages] == [f"{number:04d}" for number in range(1, len(pages) + 1)]
    assert re.findall(r"\]\((0[^)]+)\)", index) == pages


def test_the_licence_is_the_one_that_the_package_names() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")

    assert text.lstrip().startswith("Apache License")
    assert "END OF TERMS AND CONDITIONS" in text
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
