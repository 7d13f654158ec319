"""What services say, read: records that make sense, and those that do not."""

from typing import Any

import orjson
import pytest

from callboard.actors.providers.cloudflare_stream import CloudflareStream
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

    wrong, right = GamePlatform().solves(cursor=None, since=utcnow()).solves

    assert why in wrong.error
    with pytest.raises(ValueError, match="The platform's record of the solve s1 makes no sense"):
        wrong.row()
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
