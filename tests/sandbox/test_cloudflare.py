"""The sandbox's Cloudflare Stream, held against what Cloudflare documents of the real one."""

import httpx
import pytest

from callboard.sandbox.cloudflare import WAITS_S, WORKED_ON_S, _status

PATH = "/cloudflare/client/v4/accounts/100000000000001/stream"


def test_a_video_that_is_ready_has_a_duration(client: httpx.Client) -> None:
    answer = client.get(f"{PATH}/ready1").json()

    assert (answer["success"], answer["errors"], answer["messages"]) == (True, [], [])
    result = answer["result"]
    assert (result["uid"], result["readyToStream"]) == ("ready1", True)
    assert (result["status"]["state"], result["status"]["pctComplete"]) == ("ready", "100.000000")
    assert result["duration"] > 0
    assert result["playback"]["hls"].endswith("/ready1/manifest/video.m3u8")


def test_one_that_is_not_ready_has_none(client: httpx.Client) -> None:
    result = client.get(f"{PATH}/queued1").json()["result"]

    assert (result["status"]["state"], result["duration"], result["readyToStream"]) == ("queued", -1, False)


@pytest.mark.parametrize(
    ("path", "token", "status", "code"),
    [
        (f"{PATH}/gone1", "sandbox", 404, 10003),
        (f"{PATH}/ready1", "wrong", 401, 10000),
        (f"{PATH}/ready1", None, 400, 9106),
    ],
)
def test_troubles_have_cloudflares_shape(
    client: httpx.Client, path: str, token: str | None, status: int, code: int
) -> None:
    if token is None:
        del client.headers["Authorization"]
    else:
        client.headers["Authorization"] = f"Bearer {token}"

    answer = client.get(path)

    assert answer.status_code == status
    body = answer.json()
    assert (body["success"], body["result"], body["errors"][0]["code"]) == (False, None, code)


def test_each_video_goes_from_queued_over_in_progress_to_an_end() -> None:
    for seed in range(0, 40_000, 777):
        states = [_status("abcd", seed, age)[0] for age in range(WAITS_S + WORKED_ON_S + 1)]
        order = [state for state, before in zip(states, [None, *states], strict=False) if state != before]
        assert order[-1] in ("ready", "error")
        assert order[:-1] in (["queued", "inprogress"], ["inprogress"])
