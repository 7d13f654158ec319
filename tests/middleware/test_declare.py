"""What a worker declares of its jobs, and the options that are refused where an actor is declared."""

import json
from typing import Any

import dramatiq
import pytest

from callboard.core.backoff import linear
from callboard.core.cron import cron
from callboard.core.errors import BadInput
from callboard.middleware.broker import Broker
from callboard.middleware.declare import declaration, describe_actors
from callboard.storage.recorder.stream import decode
from helpers.waiting import wait_for
from helpers.workers import Event, declare, events, working


class Odd:
    """A default that JSON does not know."""

    def __repr__(self) -> str:
        return "an odd one"


ODD = Odd()


def described(broker: Broker) -> Event:
    """What is declared of the only actor."""
    (job,) = describe_actors(broker)
    return job


def test_a_plain_actor_is_declared_with_the_defaults(broker: Broker) -> None:
    @dramatiq.actor
    def tidy() -> None:
        """Tidy up.

        At length.
        """

    assert described(broker) == {
        "name": "tidy",
        "queue": "default",
        "description": "Tidy up.",
        "category": None,
        "enabled": True,
        "options": {},
        "time_limit_ms": 600_000,
        "max_attempts": 21,
        "signature": [],
        "schedules": [],
    }


def test_options_are_declared_as_an_operator_reads_them(broker: Broker) -> None:
    def again(retries: int, error: BaseException) -> bool:
        return False

    @dramatiq.actor(
        queue_name="mail", max_retries=2, time_limit=30_000, backoff=linear(), mutex="mail:{list_name}",
        overlap="wait", category="marketing", description="Send the mail.", enabled=False, throws=(KeyError,),
        stale_after=5_000,
    )  # fmt: skip
    def send_mail(list_name: str) -> None:
        """Another text."""

    job = described(broker)
    assert (job["queue"], job["description"], job["category"]) == ("mail", "Send the mail.", "marketing")
    assert (job["enabled"], job["time_limit_ms"], job["max_attempts"]) == (False, 30_000, 3)
    assert job["options"]["backoff"] == "linear: 5 s, 10 s, 15 s and so on"
    assert job["options"]["mutex"] == "mail:{list_name}"
    assert job["options"]["throws"] == "(<class 'KeyError'>,)"
    assert job["options"]["stale_after"] == 5_000


@pytest.mark.parametrize(
    "limit",
    [
        {"key": "tenant:{tenant}", "concurrent": 4, "per_minute": 600},
        [{"key": "tenant:{tenant}", "concurrent": 4}, {"key": "mail", "per_minute": 60}],
    ],
)
def test_limits_are_declared_as_they_are(broker: Broker, limit: Any) -> None:
    @dramatiq.actor(limit=limit)
    def sync(tenant: int) -> None:
        pass

    assert described(broker)["options"]["limit"] == limit


def test_a_job_without_limits_says_so(broker: Broker) -> None:
    declare(broker, lambda: None, actor_name="free", time_limit=float("inf"), max_retries=None)
    assert (described(broker)["time_limit_ms"], described(broker)["max_attempts"]) == (None, None)


def test_schedules_are_declared_with_their_zone_and_policy(broker: Broker) -> None:
    @dramatiq.actor(
        periodic=[cron("0 8 * * *", tz="Europe/Paris"), cron("*/30 * * * * *")],
        misfire="run_all",
        misfire_limit=7,
        grace=5_000,
    )
    def report() -> None:
        pass

    first, second = described(broker)["schedules"]
    assert first == {
        "key": "code:1",
        "expr": "0 8 * * *",
        "tz": "Europe/Paris",
        "args": [],
        "kwargs": {},
        "misfire": "run_all",
        "misfire_limit": 7,
        "grace_ms": 5_000,
    }
    assert (second["key"], second["expr"], second["tz"]) == ("code:2", "*/30 * * * * *", "UTC")
    assert "periodic" not in described(broker)["options"]


def test_a_schedule_with_a_name_is_known_by_it(broker: Broker) -> None:
    @dramatiq.actor(periodic=[cron("0 8 * * *", name="report_daily"), cron("0 9 * * *")])
    def report() -> None:
        pass

    assert [item["key"] for item in described(broker)["schedules"]] == ["report_daily", "code:2"]


def test_two_schedules_of_one_name_are_refused(broker: Broker) -> None:
    with pytest.raises(BadInput, match="report has two schedules named daily"):

        @dramatiq.actor(periodic=[cron("0 8 * * *", name="daily"), cron("0 9 * * *", name="daily")])
        def report() -> None:
            pass


def test_the_signature_tells_a_form_what_to_ask_for(broker: Broker) -> None:
    @dramatiq.actor
    def export(
        path: str,
        limit: int = 10,
        *rest: int,
        fast: bool = False,
        odd: Any = ODD,
        **more: str,
    ) -> None:
        pass

    signature = described(broker)["signature"]
    assert [(p["name"], p["kind"], p["required"]) for p in signature] == [
        ("path", "positional_or_keyword", True),
        ("limit", "positional_or_keyword", False),
        ("rest", "var_positional", False),
        ("fast", "keyword_only", False),
        ("odd", "keyword_only", False),
        ("more", "var_keyword", False),
    ]
    assert [p["type"] for p in signature] == ["str", "int", "int", "bool", "Any", "str"]
    assert [p["default"] for p in signature] == [None, 10, None, False, "an odd one", None]


def test_an_async_actor_is_declared_by_its_own_signature(broker: Broker) -> None:
    @dramatiq.actor
    async def fetch(page: int) -> None:
        """Fetch a page."""

    job = described(broker)
    assert (job["name"], job["description"]) == ("fetch", "Fetch a page.")
    assert [p["name"] for p in job["signature"]] == ["page"]


def test_a_worker_declares_its_jobs_when_it_begins(broker: Broker) -> None:
    broker.source = "shop.jobs"
    declare(broker, lambda: None, actor_name="first")
    declare(broker, lambda: None, actor_name="second", periodic=cron("@daily"))
    with working(broker):
        (event,) = wait_for(lambda: events(broker, "jobs"), what="the declaration")
    assert event["source"] == "shop.jobs"
    assert [job["name"] for job in event["jobs"]] == ["first", "second"]
    assert json.loads(declaration(broker)) == event
    assert decode(b"[" + declaration(broker) + b"]") == [event]


WRONG: dict[str, dict[str, Any]] = {
    "periodic='0 8 * * *'": {"periodic": "0 8 * * *"},
    "periodic=['@daily']": {"periodic": ["@daily"]},
    "periodic=7": {"periodic": 7},
    "backoff='linaer'": {"backoff": "linaer"},
    "backoff=5": {"backoff": 5},
    "misfire='never'": {"misfire": "never"},
    "misfire_limit=-1": {"misfire_limit": -1},
    "grace=-1": {"grace": -1},
    "grace='1 minute'": {"grace": "1 minute"},
    "time_limit=0": {"time_limit": 0},
    "time_limit='30s'": {"time_limit": "30s"},
    "time_limit=None": {"time_limit": None},
    "time_limit=nan": {"time_limit": float("nan")},
    "stale_after='5m'": {"stale_after": "5m"},
    "stale_after=-5": {"stale_after": -5},
    "max_retries='3'": {"max_retries": "3"},
    "max_retries=-1": {"max_retries": -1},
    "max_retries=2.5": {"max_retries": 2.5},
    "overlap='queue'": {"overlap": "queue"},
    "category=7": {"category": 7},
    "description=7": {"description": 7},
    "enabled='no'": {"enabled": "no"},
    "sentry='loud'": {"sentry": "loud"},
}


@pytest.mark.parametrize(("said", "options"), WRONG.items(), ids=WRONG.keys())
def test_a_wrong_option_is_refused_in_one_sentence_where_the_actor_is_declared(
    broker: Broker, said: str, options: dict[str, Any]
) -> None:
    with pytest.raises(BadInput) as refused:
        declare(broker, lambda: None, actor_name="work", **options)
    text = str(refused.value)
    assert text.startswith("The actor work has ")
    assert said in text
    assert text.endswith(".")
    assert "\n" not in text
    assert broker.actors == {}


def test_a_name_that_is_too_long_for_the_record_is_refused(broker: Broker) -> None:
    declare(broker, lambda: None, actor_name="x" * 100)
    with pytest.raises(BadInput, match="101 characters"):
        declare(broker, lambda: None, actor_name="y" * 101)


def test_an_option_that_nobody_knows_is_refused_as_in_dramatiq(broker: Broker) -> None:
    with pytest.raises(ValueError, match="perodic"):
        declare(broker, lambda: None, actor_name="work", perodic=cron("@daily"))
