"""The game platform's sync and sweep, on the real tables, against the sandbox's platform."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, text

from callboard.actors.providers.errors import Refused, Unreachable
from callboard.actors.providers.game_platform import GamePlatform
from helpers.competitors import add_coach, add_competitors, competitor
from helpers.promises import Promise, assert_kept
from helpers.sandboxed import Sandboxed, sandboxed

PROMISED = {
    "game_platform_sync": Promise("*/30 * * * *", 300, 3, "sync"),
    "game_platform_totals_sweep": Promise("0 * * * *", 300, 3, "sync"),
}
#: Players of whom the sandbox has solves for certain: enough of them.
NAMES = ("Alan", "Barbara", "Claude", "Dorothy", "Edsger", "Frances", "Grace", "Hedy", "Ivan", "Jean")


@pytest.fixture
def platform(surroundings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandboxed]:
    with sandboxed() as sandbox:
        for name, value in sandbox.environ.items():
            monkeypatch.setenv(name, value)
        yield sandbox


@pytest.fixture
def sync(surroundings: Any, platform: Sandboxed) -> Any:
    return surroundings.get_actor("game_platform_sync")


@pytest.fixture
def sweep(surroundings: Any, platform: Sandboxed) -> Any:
    return surroundings.get_actor("game_platform_totals_sweep")


def scalar(engine: Engine, query: str, **values: Any) -> Any:
    with engine.connect() as connection:
        return connection.scalar(text(query), values)


def execute(engine: Engine, statement: str, **values: Any) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement), values)


SOLVES = "SELECT count(*) FROM business.challenge_solves"
CURSOR = "SELECT cursor FROM business.sync_cursors WHERE name = 'game_platform_solves'"
FLAGGED = "SELECT count(*) FROM business.competitors WHERE needs_totals_refresh"


@pytest.mark.parametrize("name", PROMISED)
def test_the_jobs_are_declared_as_promised(surroundings: Any, name: str) -> None:
    assert_kept(surroundings, name, PROMISED[name])


def test_competitors_are_linked_by_e_mail_and_their_solves_are_stored_once(sync: Any, engine: Engine) -> None:
    # Given ten whom the platform knows, and one whom it does not
    coach = add_coach(engine)
    add_competitors(engine, coach, *NAMES, "Nobody")
    # When the sync runs twice
    first, second = sync(), sync()
    # Expect all of the past of those ten, flagged; and nothing more the second time
    assert (first["linked"], first["failed"]) == (10, 0)
    assert first["added"] == scalar(engine, SOLVES) > 50
    assert second["added"] == second["changed"] == 0
    assert competitor(engine, "Nobody")["platform_id"] is None
    grace = competitor(engine, "Grace")
    assert str(grace["platform_id"]).startswith("gp-")
    assert grace["synced_at"] is not None
    assert scalar(engine, FLAGGED) == 10


def test_the_first_sync_asks_for_the_past_once(sync: Any, engine: Engine, platform: Sandboxed) -> None:
    add_competitors(engine, add_coach(engine), *NAMES)
    result = sync()
    assert result["added"] == scalar(engine, SOLVES) > 50
    # Each of the links and of the solves is dealt with once, but for those of the last hour.
    assert result["processed"] <= len(NAMES) + result["added"] + 20


def test_the_next_sync_goes_on_from_the_cursor_of_the_last(
    sync: Any, engine: Engine, platform: Sandboxed
) -> None:
    add_competitors(engine, add_coach(engine), *NAMES)
    sync()
    # Given that the solves of the last weeks are gone, and the cursor was moved back before them
    before = scalar(engine, SOLVES)
    execute(engine, "DELETE FROM business.challenge_solves WHERE solved_at > now() - interval '30 days'")
    lost = before - scalar(engine, SOLVES)
    assert lost > 10
    assert sync()["added"] == 0, "what was passed is not asked for again"
    execute(engine, "DELETE FROM business.sync_cursors")
    execute(engine, "UPDATE business.competitors SET needs_totals_refresh = false")
    # When it runs in pages of seven
    result = sync(batch_size=7)
    # Expect all of them again, their competitors flagged, and the cursor after them
    assert result["added"] == lost
    assert 0 < scalar(engine, FLAGGED) <= 10
    assert scalar(engine, SOLVES) == before
    assert sync()["added"] == 0


def test_a_page_that_cannot_be_had_leaves_the_cursor_at_the_page_before(
    sync: Any, engine: Engine, platform: Sandboxed
) -> None:
    add_competitors(engine, add_coach(engine), *NAMES)
    sync()
    cursor = scalar(engine, CURSOR)
    platform.turn("game", failure_rate=1.0, failure_status=403)
    with pytest.raises(Refused, match=r"The game platform refused GET v1/solves: .*HTTP 403"):
        sync()
    assert scalar(engine, CURSOR) == cursor


def test_a_changed_solve_is_taken_over_and_counted(sync: Any, engine: Engine) -> None:
    add_competitors(engine, add_coach(engine), *NAMES)
    sync()
    execute(engine, "UPDATE business.challenge_solves SET points = 7 WHERE solve_id LIKE 's-%-1-%'")
    execute(engine, "UPDATE business.competitors SET synced_at = NULL")
    wrong = scalar(engine, f"{SOLVES} WHERE points = 7")

    result = sync()

    assert (result["changed"], result["added"]) == (wrong, 0)
    assert wrong > 0
    assert scalar(engine, f"{SOLVES} WHERE points = 7") == 0


def test_a_dry_run_lists_what_would_change_and_writes_nothing(sync: Any, sweep: Any, engine: Engine) -> None:
    add_competitors(engine, add_coach(engine), *NAMES)
    preview = sync(dry_run=True)
    assert (preview["dry_run"], preview["linked"]) == (True, 10)
    assert {change["competitor"] for change in preview["changes"]} == set(NAMES)
    assert scalar(engine, SOLVES) == 0
    assert scalar(engine, CURSOR) is None
    assert competitor(engine, "Grace")["platform_id"] is None

    sync()
    preview = sweep(dry_run=True)
    assert (preview["dry_run"], preview["refreshed"]) == (True, 10)
    change = next(each for each in preview["changes"] if each["competitor"] == "Grace")
    assert change["points_before"] is None
    assert change["points"] >= 0
    assert scalar(engine, FLAGGED) == 10
    assert scalar(engine, "SELECT count(*) FROM business.competitor_totals") == 0


def test_a_coach_is_synchronised_alone(sync: Any, sweep: Any, engine: Engine) -> None:
    # Given two coaches
    ada, otto = add_coach(engine, "Ada"), add_coach(engine, "Otto")
    add_competitors(engine, ada, *NAMES[:6])
    add_competitors(engine, otto, *NAMES[6:])
    # When one is synchronised, and swept
    synced, swept = sync(coach_id=str(ada)), sweep(coach_id=str(ada))
    # Expect nothing of the other's, and the cursor of all where it was
    assert (synced["linked"], swept["refreshed"]) == (6, 6)
    assert competitor(engine, "Grace")["platform_id"] is None
    assert scalar(engine, CURSOR) is None
    # And the next full sync has nothing to do for those, and all for the others
    assert sync()["linked"] == 4
    assert scalar(engine, FLAGGED) == 4


@pytest.mark.parametrize("coach", ["specific-uuid", "00000000-0000-4000-8000-000000000000"])
@pytest.mark.parametrize("name", PROMISED)
def test_a_coach_who_is_not_there_is_refused(
    surroundings: Any, platform: Sandboxed, name: str, coach: str
) -> None:
    with pytest.raises(ValueError, match=coach):
        surroundings.get_actor(name)(coach_id=coach)


def test_the_sweep_stores_totals_and_clears_the_flags(sync: Any, sweep: Any, engine: Engine) -> None:
    add_competitors(engine, add_coach(engine), *NAMES)
    sync()
    first, second = sweep(batch_size=3), sweep()
    assert (first["processed"], first["refreshed"], first["failed"]) == (10, 10, 0)
    assert second == {"processed": 0, "failed": 0, "refreshed": 0, "changed": 0}
    ranks = []
    for name in NAMES:
        row = competitor(engine, name)
        assert row["total_solves"] >= row["solves"]  # type: ignore[operator]
        ranks.append((row["rank"], -row["total_points"]))  # type: ignore[operator]
    assert sorted(ranks) == sorted(ranks, key=lambda each: each[1])
    assert scalar(engine, FLAGGED) == 0


def test_one_who_is_flagged_while_the_sweep_asks_stays_flagged(
    sync: Any, sweep: Any, engine: Engine, platform: Sandboxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_competitors(engine, add_coach(engine), *NAMES)
    sync()
    asked = platform.counts("game")["requests"]

    # When somebody flags one while the platform is asked
    def flag_and_ask(client: GamePlatform, competitors: Any) -> Any:
        execute(engine, "UPDATE business.competitors SET needs_totals_refresh = true WHERE name = 'Grace'")
        return ask(client, competitors)

    ask = GamePlatform.totals
    monkeypatch.setattr(GamePlatform, "totals", flag_and_ask)
    # Expect the totals of all, and a flag that is not lost
    assert sweep()["refreshed"] == 10
    assert scalar(engine, FLAGGED) == 1
    assert competitor(engine, "Grace")["needs_totals_refresh"] is True
    assert platform.counts("game")["requests"] == asked + 1


def test_one_whom_the_platform_has_lost_is_recorded_and_passed_over(
    sync: Any, sweep: Any, engine: Engine
) -> None:
    add_competitors(engine, add_coach(engine), *NAMES)
    sync()
    execute(engine, "UPDATE business.competitors SET platform_id = 'lost' WHERE name = 'Grace'")

    result = sweep()

    assert (result["refreshed"], result["failed"]) == (9, 1)
    error = scalar(engine, "SELECT error FROM business.item_failures WHERE job_name LIKE '%sweep'")
    assert error == "Grace: The game platform has no totals."
    assert competitor(engine, "Grace")["needs_totals_refresh"] is True


def test_an_outage_fails_the_run_and_changes_nothing(
    sync: Any, engine: Engine, platform: Sandboxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callboard.actors.providers.game_platform.PATIENCE_S", 0.3)
    add_competitors(engine, add_coach(engine), *NAMES)
    platform.turn("game", outage=True)
    with pytest.raises(Unreachable, match="The game platform could not be asked"):
        sync()
    assert scalar(engine, SOLVES) == 0


def test_a_rate_limit_is_waited_for(sync: Any, engine: Engine, platform: Sandboxed) -> None:
    add_competitors(engine, add_coach(engine), *NAMES)
    platform.turn("game", rate_limit=2)
    result = sync()
    assert result["linked"] == 10
    assert platform.counts("game")["status_429"] > 0


def test_one_solve_that_makes_no_sense_harms_none_beside_it_and_a_page_of_them_is_passed(
    sync: Any, engine: Engine, platform: Sandboxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_competitors(engine, add_coach(engine), *NAMES)
    sync()
    execute(engine, "DELETE FROM business.challenge_solves")
    execute(engine, "DELETE FROM business.sync_cursors")
    days = [1, 2]

    def nonsense(player: str, day: Any) -> tuple[Any, ...]:
        made = real(player, day)
        return tuple(_spoilt(each) if each.at.day in days else each for each in made)

    from callboard.core.demo import solving

    real = solving.solved_on
    monkeypatch.setattr(solving, "solved_on", nonsense)
    result = sync()
    assert result["failed"] > 0
    assert result["added"] == scalar(engine, SOLVES) > 50
    assert result["processed"] == result["added"]
    recorded = scalar(engine, "SELECT count(*) FROM business.item_failures WHERE item LIKE 'solves:%'")
    assert recorded == result["failed"]
    # Where most of it makes no sense the run fails, but what was recorded is not asked for again
    execute(engine, "DELETE FROM business.sync_cursors")
    days[:] = range(1, 32)
    with pytest.raises(Exception, match="Most items failed"):
        sync()
    assert scalar(engine, CURSOR) is not None
    assert sync()["failed"] == 0


def _spoilt(solved: Any) -> Any:
    from dataclasses import replace

    return replace(solved, points=-1)


def test_two_with_one_account_are_not_linked_to_the_same_and_hold_nobody_up(
    sync: Any, engine: Engine
) -> None:
    # Given two of whom the platform knows one and the same
    coach = add_coach(engine)
    add_competitors(engine, coach, *NAMES)
    sync()
    taken = competitor(engine, "Grace")["platform_id"]
    execute(engine, "UPDATE business.competitors SET email = 'old@players.example' WHERE name = 'Grace'")
    add_competitors(engine, coach, "Grace2")
    execute(engine, "UPDATE business.competitors SET email = 'grace@players.example' WHERE name = 'Grace2'")
    # When everybody's solves are to be fetched
    execute(engine, "DELETE FROM business.challenge_solves")
    execute(engine, "DELETE FROM business.sync_cursors")
    result = sync()
    # Expect them to be so
    assert result["failed"] == 1
    assert result["added"] == scalar(engine, SOLVES) > 50
    assert competitor(engine, "Grace2")["platform_id"] is None
    assert competitor(engine, "Grace")["platform_id"] == taken


def test_hundreds_of_competitors_take_seconds(sync: Any, sweep: Any, engine: Engine) -> None:
    add_competitors(engine, add_coach(engine), *(f"P{number}" for number in range(300)))
    begun = datetime.now(UTC)
    assert sync()["linked"] == 300
    assert sweep()["refreshed"] == 300
    assert (datetime.now(UTC) - begun).total_seconds() < 30
