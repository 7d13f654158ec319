"""Working through items: bad ones are passed over and recorded, the others are not held up."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from callboard.actors.items import work_through

FETCH = text("""
SELECT id, name FROM business.customers
 WHERE id > :after ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
""")


def fetch(connection: Connection, after: int | None, limit: int) -> Sequence[Any]:
    return connection.execute(FETCH, {"after": after or 0, "limit": limit}).all()


def rename(connection: Connection, items: Sequence[Any]) -> Mapping[str, int]:
    for item in items:
        if item.name.startswith("bad"):
            raise ValueError("no such customer")
        connection.execute(
            text("UPDATE business.customers SET name = name || '!' WHERE id = :id"), {"id": item.id}
        )
    return {"renamed": len(items)}


def work(**options: Any) -> dict[str, Any]:
    return work_through("rename", "customers", fetch, rename, **options)


def names(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT name FROM business.customers ORDER BY id")))


def failures(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(
            connection.execute(
                text(
                    "SELECT item, error, times, resolved_at IS NULL FROM business.item_failures ORDER BY item"
                )
            )
        )


@pytest.mark.parametrize("batch_size", [1, 2, 100])
def test_one_bad_item_is_recorded_and_passed_over(
    surroundings: Any, engine: Engine, add_customer: Any, batch_size: int
) -> None:
    bad = [add_customer(name=name) for name in ("a", "bad", "c", "d", "e")][1]

    result = work(batch_size=batch_size)

    assert result == {"processed": 4, "failed": 1, "renamed": 4}
    assert names(engine) == ["a!", "bad", "c!", "d!", "e!"]
    assert failures(engine) == [(f"customers:{bad}", "ValueError: no such customer", 1, True)]


def test_an_item_that_failed_and_is_dealt_with_later_counts_as_resolved(
    surroundings: Any, engine: Engine, add_customer: Any
) -> None:
    bad = [add_customer(name=name) for name in ("a", "bad", "c")][1]
    work()
    work()
    with engine.begin() as connection:
        connection.execute(text("UPDATE business.customers SET name = 'b' WHERE id = :id"), {"id": bad})

    work()

    assert failures(engine) == [(f"customers:{bad}", "ValueError: no such customer", 2, False)]


def test_a_run_that_fails_at_most_items_fails_and_keeps_what_it_has_done(
    surroundings: Any, engine: Engine, add_customer: Any
) -> None:
    for name in ("bad one", "bad two", "good"):
        add_customer(name=name)

    with pytest.raises(Exception, match="Most items failed: 2 of 3"):
        work()

    assert names(engine) == ["bad one", "bad two", "good!"]
    assert len(failures(engine)) == 2


def test_a_dry_run_does_all_of_it_and_undoes_it(surroundings: Any, engine: Engine, add_customer: Any) -> None:
    for name in ("a", "bad", "c"):
        add_customer(name=name)

    result = work(dry_run=True, batch_size=2)

    assert result == {"processed": 2, "failed": 1, "renamed": 2, "dry_run": True}
    assert names(engine) == ["a", "bad", "c"]
    assert failures(engine) == []


def test_items_that_somebody_else_holds_are_left_to_them(
    surroundings: Any, engine: Engine, add_customer: Any
) -> None:
    first = add_customer(name="a")
    add_customer(name="b")
    with engine.begin() as other:
        other.execute(text("SELECT FROM business.customers WHERE id = :id FOR UPDATE"), {"id": first})

        assert work() == {"processed": 1, "failed": 0, "renamed": 1}

    assert names(engine) == ["a", "b!"]


def test_an_outage_of_the_database_is_no_fault_of_items(
    surroundings: Any, engine: Engine, add_customer: Any
) -> None:
    add_customer(name="a")

    def lose(connection: Connection, items: Sequence[Any]) -> Mapping[str, int]:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return {}

    with pytest.raises(OperationalError):
        work_through("rename", "customers", fetch, lose)

    assert failures(engine) == []


def test_a_batch_size_of_nothing_is_refused(surroundings: Any) -> None:
    with pytest.raises(ValueError, match="batch_size is 0"):
        work(batch_size=0)
