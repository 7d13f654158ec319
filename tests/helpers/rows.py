"""Rows of any table, for tests."""

from typing import Any

from sqlalchemy import Engine, Table, insert, text


def add_row(engine: Engine, table: Table, **columns: Any) -> int:
    """Insert a row and return its id."""
    with engine.begin() as connection:
        return int(connection.execute(insert(table).values(columns).returning(table.c.id)).scalar_one())


def rows(engine: Engine, query: str, **values: Any) -> list[tuple[Any, ...]]:
    """What a query returns."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


def value(engine: Engine, query: str, **values: Any) -> Any:
    """The one value that a query returns."""
    ((found,),) = rows(engine, query, **values)
    return found


def change(engine: Engine, statement: str, **values: Any) -> None:
    """Execute a statement."""
    with engine.begin() as connection:
        connection.execute(text(statement), values)


def on_write(engine: Engine, table: str, statement: str) -> None:
    """Have PostgreSQL execute a PL/pgSQL statement whenever a row `NEW` comes into a table or is changed."""
    change(
        engine,
        f"""
        CREATE FUNCTION on_write() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            {statement}
            RETURN NEW;
        END $$;
        CREATE TRIGGER on_write BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION on_write();
        """,
    )


def refuse(engine: Engine, table: str, condition: str) -> None:
    """Have PostgreSQL refuse the rows that meet a condition on `NEW`."""
    on_write(engine, table, f"IF {condition} THEN RAISE EXCEPTION 'refused'; END IF;")
