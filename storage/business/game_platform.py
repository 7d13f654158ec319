"""Competitors, their solves and their totals, as the game platform tells them.

`coach` is the id of the coach whose competitors are meant; None: everybody's.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Connection, Row, Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import SQLAlchemyError

from callboard.storage.engine import make_engine

COACH = text("SELECT EXISTS (SELECT FROM business.profiles WHERE id = :coach)").bindparams(
    bindparam("coach", type_=Uuid)
)
_OF_COACH = "AND (cast(:coach AS uuid) IS NULL OR coach_id = :coach)"
_PAGE = """
   AND (cast(:after AS uuid) IS NULL OR id > :after)
 ORDER BY id
 LIMIT :limit
"""
UNLINKED = text(f"""
SELECT id, name, email
  FROM business.competitors
 WHERE platform_id IS NULL {_OF_COACH}
{_PAGE}
""")
LINK = text("""
UPDATE business.competitors c
   SET platform_id = given.platform_id, needs_totals_refresh = true
  FROM unnest(:ids, :platform_ids) AS given (id, platform_id)
 WHERE c.id = given.id AND c.platform_id IS NULL
""").bindparams(bindparam("ids", type_=ARRAY(Uuid)), bindparam("platform_ids", type_=ARRAY(Text)))
LINKED = text("SELECT platform_id FROM business.competitors WHERE platform_id IS NOT NULL")
BEHIND = text(f"""
SELECT id, name, platform_id, synced_at
  FROM business.competitors
 WHERE platform_id IS NOT NULL AND (synced_at IS NULL OR cast(:coach AS uuid) IS NOT NULL) {_OF_COACH}
{_PAGE}
""")
SYNCED = text("UPDATE business.competitors SET synced_at = now() WHERE id = ANY(:ids)").bindparams(
    bindparam("ids", type_=ARRAY(Uuid))
)
ANYBODY = text("SELECT EXISTS (SELECT FROM business.competitors WHERE synced_at IS NOT NULL)")
#: Who has no `synced_at` is behind, and stays so until all solves of the past are there.
STORE = text("""
  WITH given AS (
SELECT DISTINCT ON (solve_id) *
  FROM jsonb_to_recordset(:solves)
       AS s (solve_id text, platform_id text, challenge text, category text, points integer
          , solved_at timestamptz)
 ORDER BY solve_id
     ), stored AS (
INSERT INTO business.challenge_solves AS c (competitor_id, solve_id, challenge, category, points, solved_at)
SELECT k.id, g.solve_id, g.challenge, g.category, g.points, g.solved_at
  FROM given g
  JOIN business.competitors k USING (platform_id)
 ORDER BY g.solve_id
    ON CONFLICT (solve_id) DO UPDATE
   SET competitor_id = excluded.competitor_id, challenge = excluded.challenge, category = excluded.category
     , points = excluded.points, solved_at = excluded.solved_at, synced_at = now()
 WHERE (c.competitor_id, c.challenge, c.category, c.points, c.solved_at) IS DISTINCT FROM
       (excluded.competitor_id, excluded.challenge, excluded.category, excluded.points, excluded.solved_at)
RETURNING competitor_id, xmax = 0 AS is_new
     ), flagged AS (
UPDATE business.competitors k
   SET needs_totals_refresh = true
     , synced_at = CASE WHEN k.synced_at IS NOT NULL THEN now() END
  FROM (SELECT DISTINCT competitor_id FROM stored) s
 WHERE k.id = s.competitor_id
     )
SELECT k.id, k.name, s.added, s.changed
  FROM (SELECT competitor_id, count(*) FILTER (WHERE is_new) AS added
             , count(*) FILTER (WHERE NOT is_new) AS changed
          FROM stored GROUP BY competitor_id) s
  JOIN business.competitors k ON k.id = s.competitor_id
 ORDER BY k.name
""").bindparams(bindparam("solves", type_=JSONB))
FLAGGED = f"""
  FROM business.competitors
 WHERE needs_totals_refresh AND platform_id IS NOT NULL {_OF_COACH}
"""
COUNT_FLAGGED = text(f"SELECT count(*) {FLAGGED}")
FETCH_FLAGGED = text(f"SELECT id, name, platform_id, xmin::text AS version {FLAGGED} {_PAGE}")
REFRESH = text("""
  WITH given AS (
SELECT *
  FROM jsonb_to_recordset(:totals)
       AS t (id uuid, version text, solves integer, points bigint, rank integer, last_solve_at timestamptz)
     ), before AS (
SELECT g.id, t.solves, t.points
  FROM given g
  LEFT JOIN business.competitor_totals t ON t.competitor_id = g.id
     ), stored AS (
INSERT INTO business.competitor_totals AS t (competitor_id, solves, points, rank, last_solve_at)
SELECT id, solves, points, rank, last_solve_at
  FROM given
 ORDER BY id
    ON CONFLICT (competitor_id) DO UPDATE
   SET solves = excluded.solves, points = excluded.points, rank = excluded.rank
     , last_solve_at = excluded.last_solve_at, refreshed_at = now()
     ), cleared AS (
UPDATE business.competitors c
   SET needs_totals_refresh = false
  FROM given
 WHERE c.id = given.id AND c.xmin::text = given.version
     )
SELECT k.id, k.name, b.points AS before, g.points AS after
  FROM before b
  JOIN given g USING (id)
  JOIN business.competitors k USING (id)
 WHERE (b.solves, b.points) IS DISTINCT FROM (g.solves, g.points)
 ORDER BY k.name
""").bindparams(bindparam("totals", type_=JSONB))


def has_coach(connection: Connection, coach: UUID) -> bool:
    """Whether there is that coach."""
    return bool(connection.scalar(COACH, {"coach": coach}))


def fetch_unlinked(
    connection: Connection, after: UUID | None, limit: int, *, coach: UUID | None
) -> Sequence[Row[Any]]:
    """Competitors whose id on the platform is not known: `id, name, email`."""
    return connection.execute(UNLINKED, {"coach": coach, "after": after, "limit": limit}).all()


def link(connection: Connection, ids: Sequence[UUID], platform_ids: Sequence[str]) -> int:
    """Note who they are on the platform, where it is not known; their totals are to be refreshed.

    Returns how many were linked.
    """
    return connection.execute(LINK, {"ids": list(ids), "platform_ids": list(platform_ids)}).rowcount


def fetch_behind(
    connection: Connection, after: UUID | None, limit: int, *, coach: UUID | None
) -> Sequence[Row[Any]]:
    """Linked competitors whose solves of the past are not here, or all of a coach's.

    Rows: `id, name, platform_id, synced_at`.
    """
    return connection.execute(BEHIND, {"coach": coach, "after": after, "limit": limit}).all()


def mark_synced(connection: Connection, ids: Sequence[UUID]) -> None:
    """Note that all of their solves until now are here."""
    connection.execute(SYNCED, {"ids": list(ids)})


def has_synced(connection: Connection) -> bool:
    """Whether the solves of the past are here of anybody."""
    return bool(connection.scalar(ANYBODY))


def store_solves(connection: Connection, solves: Sequence[Mapping[str, Any]]) -> Sequence[Row[Any]]:
    """Keep solves (`solve_id, platform_id, challenge, category, points, solved_at`) of our competitors.

    Whoever has new or changed ones is flagged for the totals, and returned: `id, name, added, changed`.
    """
    return connection.execute(STORE, {"solves": list(solves)}).all()


def count_flagged(connection: Connection, coach: UUID | None) -> int:
    """How many competitors' totals are to be refreshed."""
    count: int = connection.execute(COUNT_FLAGGED, {"coach": coach}).scalar_one()
    return count


def fetch_flagged(
    connection: Connection, after: UUID | None, limit: int, *, coach: UUID | None
) -> Sequence[Row[Any]]:
    """Competitors whose totals are to be refreshed: `id, name, platform_id, version` (of the row)."""
    return connection.execute(FETCH_FLAGGED, {"coach": coach, "after": after, "limit": limit}).all()


def refresh_totals(connection: Connection, totals: Sequence[Mapping[str, Any]]) -> Sequence[Row[Any]]:
    """Keep totals (`id, version, solves, points, rank, last_solve_at`), and clear these competitors' flags.

    Whose row is no more the version that was read may have been flagged anew, and keeps the flag. Returns
    those whose totals were others: `id, name, before, after`.
    """
    return connection.execute(REFRESH, {"totals": list(totals)}).all()


def linked_ids(url: str) -> list[str]:
    """The platform's ids of the competitors in the database at that address; none where it is away."""
    engine = make_engine(url, application_name="callboard sandbox", pool_size=1)
    try:
        with engine.connect() as connection:
            return list(connection.execute(LINKED).scalars())
    except SQLAlchemyError:
        return []
    finally:
        engine.dispose()
