"""The game platform's competitors, as the last sync and the last sweep have left them.

What they have solved is what the sandbox says, so that syncs go on where these rows end.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from callboard.core.demo.rows import Ground, Rows, every, uuid
from callboard.core.demo.solving import Solved, career, figures, place_in, player_of

FIRST = ("Quiet", "Quick", "Clever", "Brave", "Lazy", "Lucky", "Merry", "Proud", "Sharp", "Swift")
SECOND = ("Badger", "Crane", "Falcon", "Heron", "Lynx", "Marten", "Otter", "Raven", "Stoat", "Weasel")
#: What the sync keeps its cursor under.
CURSOR = "game_platform_solves"


@dataclass(slots=True)
class Player:
    """A competitor, with the solves of the last days, and the figures over all until the last sweep."""

    id: UUID
    coach: UUID
    name: str
    email: str
    platform_id: str | None
    solves: list[Solved] = field(default_factory=list)
    count: int = 0
    points: int = 0
    last_at: datetime | None = None
    flagged: bool = False


def platform_rows(ground: Ground) -> Iterator[Rows]:
    """The tables. The last sync was half an hour before the end of the data, the last sweep at noon."""
    chance, synced = ground.chance("platform"), ground.now - timedelta(minutes=30)
    coaches = [uuid(chance) for _ in range(max(5, ground.competitors // 40))]
    profiles = [
        (key, f"Coach {n}", f"coach.{n}@example.com", "admin" if n == 1 else "coach", ground.start)
        for n, key in enumerate(coaches, 1)
    ]
    yield Rows("profiles", ("id", "name", "email", "role", "created_at"), profiles)
    players = []
    for number in range(1, ground.competitors + 1):
        first, second = chance.choice(FIRST), chance.choice(SECOND)
        # Of a hundred, six are not linked yet, and one of those is somebody whom the platform does not know.
        known = "nobody." if number % 100 == 5 else ""
        email = f"{known}{first}.{second}.{number}@example.com".lower()
        linked = number % 100 not in (5, 6, 7, 8, 9, 10)
        player = Player(
            *(uuid(chance), chance.choice(coaches), f"{first} {second} {number}", email),
            player_of(email) if linked else None,
        )
        players.append(player)
        if linked:
            _live(ground, player, synced)
    yield _competitors(players, ground)
    columns = ("competitor_id", "solve_id", "challenge", "category", "points", "solved_at", "synced_at")
    yield Rows("challenge_solves", columns, _solves(players))
    yield _totals(players, ground)
    cursor = (CURSOR, place_in((synced, "")), synced)
    yield Rows("sync_cursors", ("name", "cursor", "updated_at"), [cursor])


def _live(ground: Ground, player: Player, synced: datetime) -> None:
    swept = ground.now - timedelta(hours=12)
    identity = player.platform_id or ""
    player.solves = list(career(identity, ground.start, synced))
    player.flagged = any(solved.at > swept for solved in player.solves)
    player.count, player.points, player.last_at = figures(identity, swept)


def _competitors(players: list[Player], ground: Ground) -> Rows:
    rows = []
    for each in players:
        last = each.solves[-1].at if each.solves else ground.start
        synced = every(last, 30) if each.platform_id else None
        rows.append((each.id, each.coach, each.name, each.email, each.platform_id, each.flagged, synced))
    columns = ("id", "coach_id", "name", "email", "platform_id", "needs_totals_refresh", "synced_at")
    return Rows("competitors", columns, rows)


def _solves(players: list[Player]) -> Iterator[tuple[Any, ...]]:
    for each in players:
        for solved in each.solves:
            told = (solved.id, solved.challenge, solved.category, solved.points, solved.at)
            yield (each.id, *told, every(solved.at, 30))


def _totals(players: list[Player], ground: Ground) -> Rows:
    ranks: dict[int, int] = {}
    linked = sorted((each for each in players if each.platform_id), key=lambda each: -each.points)
    for place, each in enumerate(linked, 1):
        ranks.setdefault(each.points, place)
    rows = [
        (
            *(each.id, each.count, each.points, ranks[each.points], each.last_at),
            every(each.last_at, 60) if each.last_at else ground.start,
        )
        for each in linked
    ]
    columns = ("competitor_id", "solves", "points", "rank", "last_solve_at", "refreshed_at")
    return Rows("competitor_totals", columns, rows)
