"""Calling a service outside, against a real server that answers as it is told."""

import gzip
import json
import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from callboard.actors.providers.http import Deferred, Overloaded, Refused, Service, Unreachable
from callboard.core.clock import utcnow
from callboard.core.errors import CallboardError, Unavailable
from helpers.answering import Answer, Answering, answering

BUSY = Answer(429, b'{"error": "slow_down", "message": "Too many requests."}', {"Retry-After": "0"})
BROKEN = Answer(500, b"<html>")
FINE = Answer(200, b'{"ok": true}')


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as service:
        yield service


def service(server: Answering, **options: Any) -> Service:
    return Service("Weather", server.url, token="hunter2-token", **{"patience_s": 5.0, **options})


def test_an_answer_is_its_json_and_the_request_carries_token_and_arguments(server: Answering) -> None:
    server.script = [FINE]

    answer = service(server, headers={"X-Part": "a"}).post("/v1/things", {"a": 1}, idempotency_key="k:1")

    assert answer == {"ok": True}
    (asked,) = server.asked
    assert (asked.method, asked.path, json.loads(asked.body)) == ("POST", "/v1/things", {"a": 1})
    assert asked.headers["authorization"] == "Bearer hunter2-token"
    assert asked.headers["idempotency-key"] == "k:1"
    assert asked.headers["x-part"] == "a"


def test_parameters_go_into_the_address(server: Answering) -> None:
    service(server).get("things", {"after": "2026-01-01T00:00:00Z", "limit": 10})

    assert server.asked[0].path == "/things?after=2026-01-01T00%3A00%3A00Z&limit=10"


@pytest.mark.parametrize("trouble", [BUSY, BROKEN, Answer(503), Answer(drop=True)], ids=str)
def test_a_call_that_may_be_repeated_is_repeated_until_it_works(server: Answering, trouble: Answer) -> None:
    server.script = [trouble, trouble, FINE]

    assert service(server).post("/things", {}, idempotency_key="k") == {"ok": True}
    assert len(server.asked) == 3
    assert {asked.headers["idempotency-key"] for asked in server.asked} == {"k"}


@pytest.mark.parametrize("trouble", [BROKEN, Answer(503), Answer(drop=True)], ids=str)
def test_a_post_without_a_key_is_not_repeated_where_it_may_have_been_done(
    server: Answering, trouble: Answer
) -> None:
    server.script = [trouble, FINE]

    with pytest.raises(Unreachable):
        service(server).post("/things", {})

    assert len(server.asked) == 1


def test_a_post_without_a_key_is_repeated_after_too_many_requests(server: Answering) -> None:
    server.script = [BUSY, FINE]

    assert service(server).post("/things", {}) == {"ok": True}


def test_a_refusal_is_told_at_once_with_the_providers_code_and_words(server: Answering) -> None:
    server.script = [Answer(400, b'{"error": {"code": 100, "message": "Invalid parameter."}}')]

    with pytest.raises(Refused) as refused:
        service(server).post("/things", {}, idempotency_key="k")

    assert str(refused.value) == "Weather refused POST /things: Invalid parameter (100, HTTP 400)."
    assert (refused.value.code, refused.value.said) == ("100", "Invalid parameter")
    assert (refused.value.http_status, refused.value.service) == (400, "Weather")
    assert len(server.asked) == 1


def test_a_redirection_is_a_refusal_and_takes_the_token_nowhere(server: Answering) -> None:
    server.script = [Answer(302, b"", {"Location": f"{server.url}/elsewhere"}), FINE]

    with pytest.raises(Refused, match=r"^Weather refused GET /things: HTTP 302\.$"):
        service(server).get("/things")

    assert len(server.asked) == 1


def test_no_secret_stands_in_what_is_told(server: Answering) -> None:
    server.script = [Answer(401, b'{"message": "Token hunter2-token is not known, api_key=abc."}')]

    with pytest.raises(Refused) as refused:
        service(server).get("/things", {"key": "abc"})

    assert "hunter2" not in f"{refused.value} {refused.value.said} {service(server)!r}"
    assert "abc" not in str(refused.value)


def test_a_wait_that_is_asked_for_is_kept(server: Answering) -> None:
    server.script = [Answer(429, b"", {"Retry-After": "1"}), FINE]

    service(server).get("/things")

    first, second = server.asked
    assert second.at - first.at >= 1.0


def test_a_wait_may_be_asked_for_by_a_date(server: Answering) -> None:
    until = format_datetime(utcnow() + timedelta(seconds=2), usegmt=True)
    server.script = [Answer(503, b"", {"Retry-After": until}), FINE]

    service(server, patience_s=10.0).get("/things")

    first, second = server.asked
    assert second.at - first.at > 0.9


def test_a_wait_longer_than_the_patience_is_not_begun(server: Answering) -> None:
    server.script = [Answer(429, b"", {"Retry-After": "120"})]
    begun = time.monotonic()

    with pytest.raises(Overloaded) as overloaded:
        service(server).get("/things")

    assert overloaded.value.retry_after == 120.0
    assert str(overloaded.value) == (
        "Weather had too many requests at GET /things, and asks to be left alone for 120 s: HTTP 429."
    )
    assert isinstance(overloaded.value, Unavailable)
    assert time.monotonic() - begun < 60.0


def test_too_many_requests_may_have_a_code_of_the_providers_own(server: Answering) -> None:
    server.script = [Answer(400, b'{"error": {"code": 130429, "message": "Rate limit hit"}}')]

    with pytest.raises(Overloaded):
        service(server, busy_codes=frozenset({"130429"}), patience_s=0.1).get("/things")


def test_patience_ends(server: Answering) -> None:
    server.script = [BROKEN]
    begun = time.monotonic()

    with pytest.raises(Unreachable, match=r"^Weather could not be asked for GET /things: HTTP 500\.$"):
        service(server, patience_s=3.0).get("/things")

    assert time.monotonic() - begun < 30.0
    assert len(server.asked) >= 3


def test_silence_ends_in_time_and_says_so(server: Answering) -> None:
    server.script = [Answer(after_s=30)]
    begun = time.monotonic()

    with pytest.raises(Unreachable, match=r"no answer in time\.$") as silent:
        service(server, timeout_s=0.3).post("/things", {})

    assert time.monotonic() - begun < 25.0
    assert silent.value.maybe_done


def test_an_answer_that_trickles_in_ends_when_patience_does(server: Answering) -> None:
    server.script = [Answer(200, b"x" * 200, trickle_s=0.05)]
    begun = time.monotonic()

    with pytest.raises(Unreachable, match=r"no answer in time\.$") as slow:
        service(server, patience_s=0.5).post("/things", {})

    assert time.monotonic() - begun < 8.0, "all of it takes ten seconds"
    assert slow.value.maybe_done


def test_an_answer_without_an_end_is_not_read_to_it(server: Answering) -> None:
    server.script = [Answer(200, b"x" * 3_000_000)]

    with pytest.raises(Unreachable, match=r"its answer is longer than 1 MiB\.$"):
        service(server, max_bytes=1024 * 1024).get("/things")

    assert len(server.asked) == 1


def test_a_packed_answer_is_unpacked_and_counts_as_what_it_is(server: Answering) -> None:
    packed = gzip.compress(b'{"words": "' + b"x" * 3_000_000 + b'"}')
    server.script = [Answer(200, packed, {"Content-Encoding": "gzip"})]

    assert len(service(server).get("/things")["words"]) == 3_000_000
    with pytest.raises(Unreachable, match="longer than 1 MiB"):
        service(server, max_bytes=1024 * 1024).get("/things")


def test_a_code_that_concerns_one_item_defers_it(server: Answering) -> None:
    server.script = [Answer(400, b'{"error": {"code": 131056, "message": "Pair rate limit hit"}}')]

    with pytest.raises(Deferred, match=r"^Weather does not take POST /things now: Pair rate limit hit"):
        service(server, later_codes=frozenset({"131056"})).post("/things", {})

    assert len(server.asked) == 1


def test_a_service_that_is_away_says_for_how_long(server: Answering) -> None:
    server.script = [Answer(503, b"", {"Retry-After": "120"})]

    with pytest.raises(Unreachable) as away:
        service(server).get("/things")

    assert away.value.retry_after == 120.0


def test_no_connection_is_tried_again_whatever_the_method_and_then_told(server: Answering) -> None:
    with answering() as gone:
        pass

    with pytest.raises(Unreachable, match=r"^Weather could not be asked for POST /things: ") as refused:
        service(gone, patience_s=0.6).post("/things", {})

    assert not refused.value.maybe_done
    assert isinstance(refused.value, CallboardError)


def test_an_answer_that_is_no_json_is_told(server: Answering) -> None:
    server.script = [Answer(200, b"<html>")]

    with pytest.raises(Unreachable, match=r"its answer is no JSON\.$"):
        service(server).get("/things")


def test_connections_are_kept_and_shared(server: Answering) -> None:
    for _ in range(20):
        service(server).get("/things")

    assert server.connections == 1


def test_calls_keep_the_pace_over_all_threads(server: Answering) -> None:
    paced = service(server, per_second=20.0, patience_s=30.0)
    begun = time.monotonic()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: paced.get("/things"), range(50)))

    assert time.monotonic() - begun >= 1.4, "20 at once, and 30 at 20 a second"


def test_a_turn_that_comes_too_late_is_not_waited_for(server: Answering) -> None:
    paced = service(server, per_second=0.2, patience_s=0.5)

    with pytest.raises(Overloaded, match=r"called 0\.2 times a second at most"):
        paced.get("/things")

    assert not server.asked


def test_a_fork_gets_connections_of_its_own(server: Answering) -> None:
    service(server).get("/things")

    child = multiprocessing.get_context("fork").Process(target=service(server).get, args=("/things",))
    child.start()
    child.join(20)

    assert child.exitcode == 0
    service(server).get("/things")
    assert server.connections == 2
