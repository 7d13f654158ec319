"""Messages and letters that wait, and what became of them."""

from typing import Any

from sqlalchemy import Engine, insert, text

from callboard.core.clock import utcnow
from callboard.storage.tables.business import email_queue, outbound_jobs


def add_messages(engine: Engine, *messages: dict[str, Any]) -> list[int]:
    """Queue messages; a message without a number and a text gets them. Returns their ids."""
    rows = [{"to": "+33612345678", "payload": {"text": "Hello"}} | message for message in messages]
    with engine.begin() as connection:
        return [
            connection.execute(insert(outbound_jobs).values(row).returning(outbound_jobs.c.id)).scalar_one()
            for row in rows
        ]


def fill(engine: Engine, count: int) -> None:
    """Queue so many messages, each with a number and a key of its own."""
    with engine.begin() as connection:
        connection.execute(
            text("""
INSERT INTO business."OutboundJob" ("to", payload, "idempotencyKey")
SELECT '+336' || (10000000 + n * 10 + 1), jsonb_build_object('text', 'Message ' || n), 'load:' || n
  FROM generate_series(1, :count) AS n
"""),
            {"count": count},
        )


def where_it_is(hour: int) -> str:
    """A time zone in which it is about that hour now."""
    east = (hour - utcnow().hour + 11) % 24 - 11
    # The names of these zones have the sign the other way round.
    return f"Etc/GMT{-east:+d}"


def messages(engine: Engine) -> list[Any]:
    """All messages, by id."""
    with engine.connect() as connection:
        return list(connection.execute(text('SELECT * FROM "OutboundJob" ORDER BY id')).all())


def add_letters(engine: Engine, *letters: dict[str, Any]) -> list[int]:
    """Queue letters; what they do not say is filled in. Returns their ids."""
    rows = [
        {"to_address": f"ada{number}@example.org", "subject": "News", "body": "All is well."} | letter
        for number, letter in enumerate(letters)
    ]
    with engine.begin() as connection:
        return [
            connection.execute(insert(email_queue).values(row).returning(email_queue.c.id)).scalar_one()
            for row in rows
        ]


def letters(engine: Engine) -> list[Any]:
    """All letters, by id."""
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT * FROM business.email_queue ORDER BY id")).all())
