"""What services say, read: records that make sense, and those that do not."""

from typing import Any

import orjson
import pytest

from callboard.actors.providers.cloudflare_stream import CloudflareStream
from callboard.actors.providers.errors import Refused, ServiceError
from callboard.actors.providers.external import External
from callboard.actors.providers.game_platform import GamePlatform
from callboard.core.clock import utcnow
from helpers.answering import Answer, Answering, answering

SOLVE = {
    "id": "s1",
    "competitor_id": "gp-1",
    "challenge": "Weak Key",
    "category": "crypto",
    "points": 200,
    "solved_at": "2026-11-20T10:00:00+01:00",
}


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Any:
    with answering() as running:
        for name, value in {
            "GAME_PLATFORM_URL": running.url,
            "GAME_PLATFORM_TOKEN": "a-token",
            "EXTERNAL_URL": running.url,
            "EXTERNAL_TOKEN": "a-token",
            "CLOUDFLARE_URL": running.url,
            "CLOUDFLARE_ACCOUNT_ID": "abc",
            "CLOUDFLARE_STREAM_API_TOKEN": "a-token",
        }.items():
            monkeypatch.setenv(name, value)
        yield running


def say(service: Answering, body: Any) -> None:
    service.script = [Answer(body=orjson.dumps(body))]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"points": -1}, "points are -1"),
        ({"points": True}, "points are True"),
        ({"points": None}, "points are None"),
        ({"solved_at": "yesterday"}, "Invalid isoformat string"),
        ({"solved_at": "2026-11-20T10:00:00"}, "without a zone"),
    ],
)
def test_a_solve_that_makes_no_sense_says_why_and_harms_none_beside_it(
    service: Answering, change: dict[str, Any], why: str
) -> None:
    say(service, {"solves": [SOLVE | change, SOLVE], "cursor": "c", "has_more": False})

    (page,) = GamePlatform().solves(cursor=None, since=utcnow())

    wrong, right = page.records
    assert wrong.error.startswith("The platform's record of the solve s1 makes no sense")
    assert why in wrong.error
    assert right.error == ""
    assert right.row()["platform_id"] == "gp-1"
    assert service.asked[0].headers["authorization"] == "Bearer a-token"


@pytest.mark.parametrize(
    ("status", "duration", "expected"),
    [
        ({"state": "ready", "pctComplete": "100"}, 61.5, ("ready", 61.5, None)),
        ({"state": "ready"}, -1, ("ready", None, None)),
        ({"state": "pendingupload"}, -1, ("queued", None, None)),
        ({"state": "inprogress", "pctComplete": "12"}, -1, ("queued", None, None)),
        ({"state": "error", "errorReasonText": "No video."}, -1, ("error", None, "No video.")),
        ({"state": "error", "errorReasonCode": "ERR_X"}, -1, ("error", None, "ERR_X")),
    ],
)
def test_a_videos_state_is_read_as_cloudflare_means_it(
    service: Answering, status: dict[str, str], duration: float, expected: tuple[Any, ...]
) -> None:
    result = {"uid": "u1", "status": status, "duration": duration}
    say(service, {"result": result, "success": True, "errors": [], "messages": []})

    video = CloudflareStream().video("u1")

    assert (video.state, video.duration, video.error) == expected
    assert service.asked[0].path == "/accounts/abc/stream/u1"


@pytest.mark.parametrize("answer", [{}, {"success": True, "result": None}, [], {"success": True}])
def test_an_answer_that_makes_no_sense_is_said_to_be_so(service: Answering, answer: Any) -> None:
    say(service, answer)

    with pytest.raises(ValueError, match="answer for the video u1 makes no sense"):
        CloudflareStream().video("u1")


def test_a_video_that_is_not_there_has_failed_and_a_wrong_account_is_refused(service: Answering) -> None:
    service.script = [Answer(404, b'{"success": false, "errors": [{"code": 10003, "message": "Not Found"}]}')]
    assert CloudflareStream().video("u1").state == "error"
    service.script = [Answer(404, b'{"success": false, "errors": [{"code": 7003, "message": "No route"}]}')]
    with pytest.raises(Refused):
        CloudflareStream().video("u1")


@pytest.mark.parametrize("record", [None, "x", [], {}, 7, {"id": {}, "data": {}, "changed_at": "x"}])
def test_a_record_of_another_shape_says_so_and_harms_none_beside_it(service: Answering, record: Any) -> None:
    good = {"id": "a", "changed_at": "2026-11-20T10:00:00Z", "data": {}}
    say(service, {"records": [record, good], "solves": [record, SOLVE], "cursor": 1, "has_more": False})

    for pages in (
        External().changes(cursor=None, since=utcnow()),
        GamePlatform().solves(cursor=None, since=utcnow()),
    ):
        (page,) = pages
        wrong, right = page.records
        assert "makes no sense" in wrong.error
        assert right.error == ""


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({}, "it has no "),
        ([], "it has no "),
        (None, "it has no "),
        ({"records": None, "solves": {}}, "it has no "),
        ({"records": [], "solves": []}, "it does not say where the next page begins"),
        ({"records": [], "solves": [], "cursor": "a", "has_more": "no"}, "it does not say where"),
    ],
)
def test_an_answer_that_is_no_page_is_an_error_in_words(service: Answering, answer: Any, why: str) -> None:
    say(service, answer)

    for pages in (
        External().changes(cursor=None, since=utcnow()),
        GamePlatform().solves(cursor=None, since=utcnow()),
    ):
        with pytest.raises(ServiceError, match=f"'s answer cannot be understood: {why}"):
            next(iter(pages))


def test_totals_that_make_no_sense_harm_none_beside_them(service: Answering) -> None:
    good = {
        "competitor_id": "a",
        "solves": 3,
        "points": 9,
        "rank": 1,
        "last_solve_at": "2026-11-20T10:00:00Z",
    }
    bad = [{"competitor_id": "b", "solves": None, "points": 9}, None, {"solves": 1}]
    say(service, {"totals": [good, *bad]})

    found = GamePlatform().totals(["a", "b", "c"])

    assert (found["a"].points, found["a"].error) == (9, "")
    assert found["b"].error == "The game platform's totals make no sense: solves are None."
    assert found["c"].error == "The game platform has no totals."
    say(service, {})
    with pytest.raises(ServiceError, match="it has no totals"):
        GamePlatform().totals(["a"])


def test_an_account_without_an_id_is_said_to_have_none(service: Answering) -> None:
    say(service, {"competitors": [{"email": "A@x.example", "id": "gp-1"}, {"email": "b@x.example"}, None]})

    found = GamePlatform().find(["a@x.example", "b@x.example"])

    assert (found["a@x.example"].id, found["a@x.example"].error) == ("gp-1", "")
    assert found["b@x.example"].error == "The game platform knows the e-mail, and names no id."


def test_a_lookup_that_is_answered_with_no_json_is_an_error_in_words(service: Answering) -> None:
    service.script = [Answer(body=b"<html>")]

    with pytest.raises(ServiceError, match="its answer is no JSON"):
        GamePlatform().find(["a@x.example"])
