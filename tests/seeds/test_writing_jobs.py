"""The page about writing jobs: each of its examples runs in a worker, and is recorded as it says."""

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from helpers.answering import Answer, Answering, answering
from helpers.house import ROOT
from helpers.system import System, running_system

PAGE = (ROOT / "docs" / "writing-jobs.md").read_text(encoding="utf-8")
#: The modules that the page's examples make, by the titles of their sections.
MODULES = {
    "From end to end": "orders",
    "Jobs of one kind": "rates",
    "Within a run": "prices",
    "A health check of one's own": "checks",
    "In a process of its own": "reports",
}


def blocks(language: str) -> dict[str, list[str]]:
    """The page's blocks in a language, by the titles of their sections."""
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
    found = {
        section.partition("\n")[0]: re.findall(
            rf"^```{language}\n(.*?)^```", section, re.MULTILINE | re.DOTALL
        )
        for section in sections
    }
    return {title: texts for title, texts in found.items() if texts}


@pytest.fixture(scope="module")
def service() -> Iterator[Answering]:
    """Whatever the examples call."""
    with answering() as running:
        yield running


@pytest.fixture(scope="module")
def surroundings(
    surroundings: dict[str, str], service: Answering, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("examples")
    for title, texts in blocks("python").items():
        (folder / f"page_{MODULES[title]}.py").write_text("\n".join(texts), encoding="utf-8")
    return surroundings | {"PYTHONPATH": str(folder), "SHOP_URL": service.url, "CALLBOARD_ENV": "uat"}


@pytest.fixture(scope="module")
def system(surroundings: dict[str, str]) -> Iterator[System]:
    jobs = ",".join(["callboard.actors", *(f"page_{name}" for name in MODULES.values())])
    with running_system(surroundings, jobs=jobs) as running:
        running.database.execute("UPDATE cron.job SET active = false")
        yield running


def run(system: System, job: str, **arguments: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A run of a job that has ended, and its log lines."""
    answer = system.call("POST", f"/api/cron/execute/{job}", json={"kwargs": arguments})
    assert answer.status_code in (200, 500), answer.text
    detail = system.call("GET", f"/api/runs/{answer.json()['runId']}").json()
    return detail, [{"level": line["level"], "message": line["message"]} for line in detail["logs"]]


def test_every_example_of_the_page_is_one_of_these() -> None:
    assert {title: len(texts) for title, texts in blocks("python").items()} == dict.fromkeys(MODULES, 1)


def test_items_that_fail_are_logged_with_their_context_and_counted_by_the_day(system: System) -> None:
    (command,) = blocks("sh")["From end to end"]
    words = shlex.split(command)
    orders = json.loads(words[words.index("--set") + 1].removeprefix("orders="))

    done, logs = run(system, "import_orders", orders=orders)
    again, _ = run(system, "import_orders", orders=[{"id": 4, "cents": 5}])
    failed, _ = run(system, "import_orders", orders=[{"id": 5}])

    assert (done["state"], again["state"]) == ("succeeded", "succeeded")
    assert done["result"] == {"processed": 2, "failed": 1, "cents": 750}
    assert (done["progress"]["done"], done["progress"]["total"]) == (3, 3)
    assert logs[0] == {"level": "info", "message": "Imported task=importOrders order=1"}
    assert logs[1]["level"] == "error"
    assert logs[1]["message"].startswith("Import failed task=importOrders order=2 KeyError: 'cents'\n")
    assert "Traceback" in logs[1]["message"]
    assert logs[-1]["message"] == "Import completed task=importOrders processed=2 failed=1 cents=750"
    assert failed["error"] == "Most orders failed: 1 of 1."

    (text,) = blocks("sql")["From end to end"]
    statements = [line.partition(";")[0] for line in text.splitlines()]
    stats, timeline, counts = (system.rows(statement) for statement in statements)
    assert (stats[0]["successful_runs"], stats[0]["failed_runs"]) == (2, 1)
    assert stats[0]["max_duration_ms"] >= stats[0]["min_duration_ms"] >= 0
    assert sum(row["executions"] for row in timeline) == 3
    totals: dict[str, int] = {}
    for row in counts:
        totals[row["name"]] = totals.get(row["name"], 0) + row["total"]
    assert totals == {"processed": 3, "failed": 1, "cents": 755}


def test_a_job_of_a_kind_has_the_options_of_its_kind(system: System, service: Answering) -> None:
    service.script = [Answer(body=b'{"EUR": 1, "USD": 1.1}')]

    done, _ = run(system, "fetch_rates", url=service.url)

    assert done["result"] == {"processed": 2}
    assert done["maxAttempts"] == 3


def test_an_attempt_that_fails_is_followed_by_one_with_the_same_key(
    system: System, service: Answering
) -> None:
    before = len(service.asked)
    service.script = [Answer(503), Answer()]

    done, logs = run(system, "publish_prices", url=service.url, prices={"tea": 250, "cake": 480})

    assert (done["state"], done["attempts"], done["result"]) == ("succeeded", 2, {"processed": 2})
    keys = [asked.headers["idempotency-key"] for asked in service.asked[before:]]
    assert keys == [done["id"], done["id"]]
    (warning,) = [line for line in logs if line["level"] == "warning"]
    assert warning["message"].startswith("Not published attempt=1 error=Server error '503")


def test_a_check_that_fails_fails_its_run_and_is_named(system: System, service: Answering) -> None:
    service.script = [Answer(), Answer(503)]

    well, logs = run(system, "check_my_services")
    ill, more = run(system, "check_my_services")

    assert well["result"] == {"shop": True, "storage": True}
    assert logs[-1]["message"] == "Health check completed shop=True storage=True"
    assert (ill["state"], ill["error"]) == ("failed", "Not well: shop.")
    assert {"level": "info", "message": "Health check completed shop=False storage=True"} in more
    (schedule,) = system.call("GET", "/api/schedules?job=check_my_services").json()["schedules"]
    assert schedule["expr"] == "*/15 * * * *"


def test_a_job_in_a_process_of_its_own_is_recorded_like_any_other(system: System) -> None:
    done, _ = run(system, "render", pages=12)

    assert (done["state"], done["result"]) == ("succeeded", {"processed": 12})
