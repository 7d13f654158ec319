"""Everything that the documentation allows, and much that it does not, is answered as it says."""

import json
from collections.abc import Iterator
from typing import Any
from zlib import crc32

import pytest
import requests
import schemathesis
from schemathesis.config import SchemathesisConfig

from callboard.api.app import create_app
from callboard.core.settings import Settings
from callboard.storage.embedded import EmbeddedServers
from helpers.databases import Databases
from helpers.system import JOBS, TOKENS, System, own_surroundings, running_system
from helpers.waiting import wait_for

#: A run that fails is a 500 of its own shape here. What nobody foresaw is a problem: of no such shape.
RUNS = [
    "/api/cron/execute/{job}",
    "/api/jobs/run-outbound",
    "/api/cron/run-outbound-jobs",
    "/cron/monitoring/health-check",
]
#: Nobody waits longer than this for a run, in seconds.
WAIT_S = 0.1


def documentation(examples: int) -> Any:
    """The API's documentation, to be tried with so many cases of each operation besides systematic ones."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": 4,
            "generation": {
                "max-examples": examples,
                "deterministic": True,
                "no-shrink": True,
                "database": "none",
                "with-security-parameters": False,
            },
            "checks": {
                "negative_data_rejection": {"expected-statuses": ["4xx"]},
                # What is right by its form may still be wrong: a job that there is not, a key used before
                "positive_data_acceptance": {"enabled": False},
                # Who sends wrong tokens by the dozen is answered 429; see test_auth.py
                "ignored_auth": {"enabled": False},
            },
            "operations": [
                {
                    "include-path": path,
                    "checks": {"not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", "500"]}},
                }
                for path in RUNS
            ],
        }
    )
    document = json.loads(json.dumps(create_app(Settings()).openapi()))
    return schemathesis.openapi.from_dict(document, config=config)


FEW, MANY = documentation(5), documentation(150)


@pytest.fixture(scope="module")
def system(
    servers: EmbeddedServers,
    databases: Databases,
    redis_database: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[System]:
    """A system at work, in which something of everything has happened."""
    with (
        own_surroundings(servers, databases, redis_database, tmp_path_factory.mktemp("home")) as own,
        running_system(own, jobs=f"{JOBS},helpers.api_actors") as running,
    ):
        for job in ("quick", "broken", "flaky", "guarded", "bounded"):
            for _ in range(2):
                done(running, "POST", f"/api/admin/cron-jobs/{job}/run")
        done(running, "POST", "/api/schedules", json={"job": "quick", "expr": "0 8 * * *"})
        done(running, "POST", "/api/users", json={"name": "ada", "role": "viewer", "password": "long enough"})
        done(running, "POST", "/api/tokens", json={"name": "ci", "role": "viewer"})
        wait_for(lambda: len(known(running)["run_id"]) >= 10, what="the runs")
        done(running, "POST", "/api/dead-letters/bulk", json={"what": "drop", "filter": {"job": "broken"}})
        done(running, "POST", "/api/runs/bulk", json={"what": "retry", "search": "job:broken"})
        yield running


def done(system: System, method: str, path: str, **more: Any) -> Any:
    """The answer to a request that is done."""
    answer = system.call(method, path, **more)
    assert answer.status_code < 300, answer.text
    return answer.json()


def known(system: System) -> dict[str, list[Any]]:
    """What there is, by the names of parameters."""
    runs = done(system, "GET", "/api/runs", params={"q": "state:succeeded,failed,dead,skipped"})["runs"]
    lists = [done(system, "GET", f"/api/{about}/bulk")["actions"] for about in ("dead-letters", "runs")]
    letters = done(system, "GET", "/api/dead-letters", params={"job": "flaky"})["letters"]
    return {
        "job": ["quick", "broken", "guarded", "bounded", "health-check"],
        "queue": ["default"],
        "run_id": [each["id"] for each in runs],
        "schedule": [each["id"] for each in done(system, "GET", "/api/schedules")["schedules"]],
        "user": ["ada"],
        "token": ["ci"],
        "breaker": ["mail-server"],
        "limit": ["tenant:7"],
        "action_id": [each["id"] for actions in lists for each in actions],
        "letters": [each["runId"] for each in letters],
    }


class Checker:
    """Makes requests and holds the answers against the documentation."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.there = known(system)
        self.session = requests.Session()
        self.operation = ""

    def check(self, case: schemathesis.Case) -> None:
        """Make one request."""
        if case.operation.label != self.operation:
            self.operation = case.operation.label
            self.wake()
        make_real(case, self.there)
        limit_wait(case)
        headers = {"Authorization": f"Bearer {TOKENS['CALLBOARD_API_TOKEN']}"}
        case.call_and_validate(base_url=self.system.url, headers=headers, session=self.session, timeout=30)

    def wake(self) -> None:
        """Have nothing paused or switched off that another operation has left so."""
        for path in ("/api/resume", "/api/queues/default/resume", "/api/jobs/quick/resume"):
            done(self.system, "POST", path)
        for job in ("quick", "health-check", "run-outbound-jobs"):
            done(self.system, "POST", f"/api/admin/cron-jobs/{job}/toggle", json={"enabled": True})


@pytest.fixture(scope="module")
def checker(system: System) -> Iterator[Checker]:
    """Checks answers of the system."""
    made = Checker(system)
    yield made
    made.session.close()


@FEW.parametrize()
def test_an_operation_answers_as_it_is_documented(case: schemathesis.Case, checker: Checker) -> None:
    checker.check(case)


@pytest.mark.long
@pytest.mark.timeout(600)
@MANY.parametrize()
def test_an_operation_answers_as_documented_to_many(case: schemathesis.Case, checker: Checker) -> None:
    checker.check(case)


def make_real(case: schemathesis.Case, there: dict[str, list[Any]]) -> None:
    """In every second case name what there is, so that it is about more than what there is not."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    chosen = crc32(repr((case.path_parameters, case.query, case.body)).encode("utf-8", "replace"))
    if chosen % 2:
        return
    for name in list(case.path_parameters or {}):
        if there.get(name):
            case.path_parameters[name] = there[name][chosen // 2 % len(there[name])]
    for values in (case.query, case.headers):
        # What belongs to an answer given before cannot be made up
        for name in ("cursor", "after", "disposition", "if-match", "idempotency-key"):
            if values:
                values.pop(name, None)
    body = case.body if isinstance(case.body, dict) else {}
    job = there["job"][chosen // 2 % len(there["job"])]
    real = {"job": job, "sync": "quick", "totals": "slow", "expr": "*/5 * * * *", "tz": "Europe/Paris"}
    real |= {"name": f"name {chosen}", "template": "off-season", "password": "long enough"}
    real |= {"runIds": there["letters"], "permissions": ["jobs:run"], "jobs": [job]}
    real |= {"search": "job:flaky state:failed"}
    for name, value in real.items():
        if body.get(name) is not None:
            body[name] = value


def limit_wait(case: schemathesis.Case) -> None:
    """Wait no longer for runs than a test can; what is no wait stays what it is."""
    if not any(parameter.name == "wait" for parameter in case.operation.query):
        return
    query = dict(case.query or {})
    try:
        wait = float(query.get("wait", WAIT_S + 1))
    except (TypeError, ValueError):
        return
    if wait > WAIT_S:
        query["wait"] = WAIT_S
        case.query = query
