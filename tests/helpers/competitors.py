"""Coaches and their competitors for tests."""

from uuid import UUID

from sqlalchemy import Engine, insert, text

from callboard.storage.tables.business import competitors, profiles


def add_coach(engine: Engine, name: str = "Ada") -> UUID:
    """A coach. Returns the id."""
    values = {"name": name, "email": f"{name.lower()}@coaches.example"}
    with engine.begin() as connection:
        return connection.execute(insert(profiles).values(values).returning(profiles.c.id)).scalar_one()


def add_competitors(
    engine: Engine, coach: UUID, *names: str, domain: str = "players.example", **columns: object
) -> dict[str, UUID]:
    """Competitors of a coach, with these columns otherwise. Returns their ids, by name."""
    rows = [
        {"coach_id": coach, "name": name, "email": f"{name.lower()}@{domain}", **columns} for name in names
    ]
    with engine.begin() as connection:
        statement = insert(competitors).returning(competitors.c.name, competitors.c.id)
        return {row.name: row.id for row in connection.execute(statement, rows)}


def competitor(engine: Engine, name: str) -> dict[str, object]:
    """A competitor's row, with how many solves there are, and the totals."""
    with engine.connect() as connection:
        found = connection.execute(
            text(
                """
                SELECT c.*, t.solves AS total_solves, t.points AS total_points, t.rank
                     , (SELECT count(*) FROM business.challenge_solves s WHERE s.competitor_id = c.id)
                       AS solves
                  FROM business.competitors c
                  LEFT JOIN business.competitor_totals t ON t.competitor_id = c.id
                 WHERE c.name = :name
                """
            ),
            {"name": name},
        )
        return dict(found.mappings().one())
