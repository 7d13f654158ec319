"""The sandbox's game platform."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from callboard.core.clock import utcnow
from callboard.core.demo.solving import figures, solved_on, stream

EMAILS = [f"player{number}@example.org" for number in range(20)]


@pytest.fixture
def players(client: httpx.Client) -> list[str]:
    answer = client.post("/game/v1/competitors/lookup", json={"emails": [*EMAILS, "nobody@example.org"]})
    return [each["id"] for each in answer.json()["competitors"]]


def test_an_address_is_always_the_same_player(client: httpx.Client, players: list[str]) -> None:
    again = client.post("/game/v1/competitors/lookup", json={"emails": [EMAILS[3].upper()]}).json()

    assert len(set(players)) == 20
    assert again["competitors"] == [{"email": EMAILS[3].upper(), "id": players[3]}]


def test_pages_hold_all_solves_once_and_in_order(client: httpx.Client, players: list[str]) -> None:
    since = (utcnow() - timedelta(days=20)).isoformat()
    whole = client.get("/game/v1/solves", params={"since": since}).json()
    assert whole["has_more"] is False
    assert {each["competitor_id"] for each in whole["solves"]} <= set(players)
    paged, cursor, more = [], None, True
    while more:
        params = {"limit": 7} | ({"since": since} if cursor is None else {"cursor": cursor})
        page = client.get("/game/v1/solves", params=params).json()
        paged += page["solves"]
        cursor, more = page["cursor"], page["has_more"]
    assert paged == whole["solves"]
    assert len({each["id"] for each in paged}) == len(paged) > 20
    assert sorted(each["solved_at"] for each in paged) == [each["solved_at"] for each in paged]


def test_totals_are_those_of_all_solves(client: httpx.Client, players: list[str]) -> None:
    params = {"competitor": players[:2]}
    totals = client.get("/game/v1/totals", params=params).json()["totals"]
    for each in totals:
        solves = client.get("/game/v1/solves", params={"competitor": each["competitor_id"]}).json()["solves"]
        assert each["points"] == sum(solve["points"] for solve in solves)
        assert each["solves"] == len(solves)
        assert 1 <= each["rank"] <= 20


@pytest.mark.parametrize("path", ["/game/v1/solves", "/game/v1/totals", "/external/v1/records"])
def test_a_wrong_token_is_refused(client: httpx.Client, path: str) -> None:
    assert client.get(path, headers={"Authorization": "Bearer wrong"}).status_code == 401


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/game/v1/solves", {"cursor": "nonsense"}),
        ("/game/v1/solves", {"limit": 501}),
        ("/external/v1/records", {"cursor": "nonsense"}),
    ],
)
def test_what_makes_no_sense_is_refused(
    client: httpx.Client, path: str, params: dict[str, str | int]
) -> None:
    assert client.get(path, params=params).status_code == 400


def test_more_solves_come_as_time_goes_by() -> None:
    names = [f"gp-{number}" for number in range(50)]
    noon = datetime(2026, 3, 3, 12, tzinfo=UTC)
    begin = (datetime(2026, 3, 3, tzinfo=UTC), "")
    early, late = (list(stream(names, begin, noon + timedelta(hours=hours))) for hours in (0, 6))

    assert late[: len(early)] == early
    assert len(late) > len(early) > 0
    best = max(names, key=lambda name: figures(name, noon)[1])
    assert figures(best, noon + timedelta(days=7))[1] > figures(best, noon)[1]
    assert solved_on(best, noon.date()) == solved_on(best, noon.date())


def test_changes_of_the_external_service_come_in_pages(client: httpx.Client) -> None:
    since = (utcnow() - timedelta(hours=5)).isoformat()
    whole = client.get("/external/v1/records", params={"since": since}).json()
    first = client.get("/external/v1/records", params={"since": since, "limit": 9}).json()
    rest = client.get("/external/v1/records", params={"cursor": first["cursor"]}).json()

    assert first["records"] + rest["records"] == whole["records"]
    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert 59 <= len(whole["records"]) <= 61
    assert all((each["data"] is None) == each["deleted"] for each in whole["records"])
