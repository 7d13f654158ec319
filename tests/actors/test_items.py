"""Working through items: bad ones are passed over and recorded, the others are not held up."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from callboard.actors.items import KNOWN_BAD, Batch, Work, work_through

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


def test_what_an_earlier_run_has_failed_at_is_no_news(
    surroundings: Any, engine: Engine, add_customer: Any
) -> None:
    # Given an item that fails in every run, alone
    bad = add_customer(name="bad")
    with pytest.raises(Exception, match="Most items failed: 1 of 1"):
        work()
    # Expect the next run to say so and no more
    assert work() == {"processed": 0, "failed": 1}
    assert failures(engine) == [(f"customers:{bad}", "ValueError: no such customer", 2, True)]
    # And to fail where as many fail as no operator can know by heart
    for _ in range(KNOWN_BAD):
        add_customer(name="bad too")
    for _ in range(2):
        with pytest.raises(Exception, match="Most items failed: 11 of 11"):
            work()


def test_an_item_that_was_dealt_with_meanwhile_is_news_again(
    surroundings: Any, engine: Engine, add_customer: Any
) -> None:
    bad = add_customer(name="bad")
    with pytest.raises(Exception, match="Most items failed"):
        work()
    for name in ("good", "bad"):
        with engine.begin() as connection:
            connection.execute(
                text("UPDATE business.customers SET name = :name WHERE id = :id"), {"name": name, "id": bad}
            )
        if name == "good":
            work()
    with pytest.raises(Exception, match="Most items failed"):
        work()


def test_the_error_of_a_statement_tells_nothing_of_its_values(
    surroundings: Any, engine: Engine, add_customer: Any
) -> None:
    for name in ("a", "Ada Lovelace"):
        add_customer(name=name)

    def overfill(connection: Connection, items: Sequence[Any]) -> Mapping[str, int]:
        points = 2**31 - 1 if items[-1].name.startswith("Ada") else 1
        statement = text("UPDATE business.customers SET points = points + 1 + :points WHERE name = :name")
        connection.execute(statement, {"points": points, "name": items[-1].name})
        return {}

    work_through("overfill", "customers", fetch, overfill, batch_size=1)

    assert [failure.error for failure in failures(engine)] == ["DataError: integer out of range"]


def test_an_error_without_words_is_named_and_a_long_one_cut(
    surroundings: Any, engine: Engine, add_customer: Any
) -> None:
    add_customer(name="a")
    for error in (TimeoutError(), ValueError("x" * 10_000)):

        def fail(connection: Connection, items: Sequence[Any], error: Exception = error) -> Mapping[str, int]:
            raise error

        with pytest.raises(Exception, match="Most items failed"):
            work_through(type(error).__name__, "customers", fetch, fail)

    told = {failure.error[:13]: len(failure.error) for failure in failures(engine)}
    assert told == {"TimeoutError": 12, "ValueError: x": 4_096}


def test_an_item_with_a_name_that_cannot_be_stored_is_recorded_all_the_same(
    surroundings: Any, engine: Engine
) -> None:
    work = Work("odd")
    items = [SimpleNamespace(id=f"{number}\x00", error="odd" if number == 1 else "") for number in range(3)]
    work.through_batches("records", [Batch(items)], lambda connection, items: {})
    assert work.outcome() == {"processed": 2, "failed": 1}
    assert [(failure.item, failure.error) for failure in failures(engine)] == [("records:1\ufffd", "odd")]
