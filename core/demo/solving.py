"""Who has solved which challenge when: it follows from the player's id and the day, and nothing is kept.

The sandbox's game platform says this, and so do the made-up rows: they agree.
"""

from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from hashlib import blake2b

#: The first day of the game.
SEASON = date(2026, 1, 1)
#: Of four players, one solves none a day on the average, one up to three.
MOST_A_DAY = 3
DAY = timedelta(days=1)

CHALLENGES = (
    ("Caesar's Letters", "crypto", 50),
    ("Weak Key", "crypto", 200),
    ("Padding Oracle", "crypto", 400),
    ("Open Door", "web", 50),
    ("Cookie Jar", "web", 100),
    ("Blind Injection", "web", 300),
    ("Lost Disk", "forensics", 100),
    ("Strange Packets", "forensics", 250),
    ("Hello, Stack", "pwn", 150),
    ("Use After Lunch", "pwn", 500),
    ("Strings Attached", "reversing", 100),
    ("No Symbols", "reversing", 350),
    ("Needle", "osint", 75),
    ("Where Was It Taken?", "osint", 125),
)


@dataclass(frozen=True, slots=True)
class Solved:
    """One solve."""

    at: datetime
    id: str
    player: str
    challenge: str
    category: str
    points: int

    @property
    def key(self) -> tuple[datetime, str]:
        """Its place in the stream of all solves."""
        return self.at, self.id


def player_of(email: str) -> str:
    """The platform's id of whoever has that e-mail address."""
    return f"gp-{blake2b(email.lower().encode(), digest_size=6).hexdigest()}"


def place_in(place: tuple[datetime, str]) -> str:
    """A place in the stream of all solves, as the platform's cursor."""
    return urlsafe_b64encode(f"{place[0].timestamp()} {place[1]}".encode()).decode()


def career(player: str, since: datetime, until: datetime) -> Iterator[Solved]:
    """What a player has solved from one moment to another, day by day; nothing of it is remembered."""
    day = max(since.date(), SEASON)
    while day <= until.date():
        yield from (each for each in _solved_on(player, day) if since <= each.at < until)
        day += DAY


def _solved_on(player: str, day: date) -> tuple[Solved, ...]:
    """What a player solves on a day (UTC), the earliest first."""
    found = []
    for number, chance in enumerate(_chances(player, _skill(player), str(day))):
        challenge, category, points = CHALLENGES[chance % len(CHALLENGES)]
        at = datetime.combine(day, time(), UTC) + timedelta(seconds=(chance >> 8) % 86_400)
        found.append(Solved(at, f"s-{day:%Y%m%d}-{number}-{player}", player, challenge, category, points))
    return tuple(sorted(found, key=lambda each: each.key))


def _skill(player: str) -> int:
    """The most that a player solves on a day."""
    return blake2b(player.encode(), digest_size=1).digest()[0] % (MOST_A_DAY + 1)


def _chances(player: str, skill: int, day: str) -> list[int]:
    """A number for each solve of a day, from which all follows."""
    if not skill:
        return []
    seed = blake2b(f"{player} {day}".encode(), digest_size=32).digest()
    return [int.from_bytes(seed[1 + n * 8 : 9 + n * 8]) for n in range(seed[0] % (skill + 1))]


solved_on = lru_cache(maxsize=200_000)(_solved_on)


def stream(players: Iterable[str], after: tuple[datetime, str], now: datetime) -> Iterator[Solved]:
    """All that these players have solved after a place in the stream, the earliest first."""
    known = sorted(players)
    day = max(after[0].date(), SEASON)
    while day <= now.date():
        found = [each for player in known for each in solved_on(player, day)]
        yield from sorted(
            (each for each in found if after < each.key and each.at <= now), key=lambda each: each.key
        )
        day += DAY


@lru_cache(maxsize=1)
def _days_before(day: date) -> tuple[str, ...]:
    return tuple(str(SEASON + number * DAY) for number in range((day - SEASON).days))


@lru_cache(maxsize=50_000)
def _figures_before(player: str, day: date) -> tuple[int, int, datetime | None]:
    """Without the solves themselves: for the rank of one player, all are asked."""
    solves, points, last, skill = 0, 0, "", _skill(player)
    for each in _days_before(day) if skill else ():
        for chance in _chances(player, skill, each):
            solves, points, last = solves + 1, points + CHALLENGES[chance % len(CHALLENGES)][2], each
    return solves, points, _solved_on(player, date.fromisoformat(last))[-1].at if last else None


def figures(player: str, now: datetime) -> tuple[int, int, datetime | None]:
    """A player's solves, points, and the moment of the last solve, over the whole game."""
    solves, points, last = _figures_before(player, now.date())
    for each in solved_on(player, now.date()):
        if each.at <= now:
            solves, points, last = solves + 1, points + each.points, each.at
    return solves, points, last
