"""Pages of records that a service answers with, and those of them that make no sense."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from callboard.actors.providers.errors import ServiceError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of records, the oldest first; `cursor` is where the next one begins, now or another day."""

    records: tuple[T, ...]
    cursor: str
    has_more: bool


def read_page(service: str, answer: Any, name: str, read: Callable[[Any], T]) -> Page[T]:
    """The page of an answer `{<name>: [...], "cursor": ..., "has_more": ...}`, each record as `read` has it.

    Raises:
        ServiceError: the answer is no such thing.
    """
    records = read_list(service, answer, name)
    cursor, has_more = answer.get("cursor"), answer.get("has_more", False)
    if not isinstance(cursor, str | int) or not isinstance(has_more, bool):
        raise _odd(service, "it does not say where the next page begins")
    return Page(tuple(read(each) for each in records), str(cursor), has_more)


def read_list(service: str, answer: Any, name: str) -> list[Any]:
    """The list of that name in an answer.

    Raises:
        ServiceError: there is none.
    """
    found = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(found, list):
        raise _odd(service, f"it has no {name}")
    return found


def follow(ask: Callable[[str | None], Page[T]], cursor: str | None) -> Iterator[Page[T]]:
    """The pages that `ask` answers from a cursor on (None: from the beginning), to the last."""
    more = True
    while more:
        page = ask(cursor)
        yield page
        cursor, more = page.cursor, page.has_more


def nonsense(error: Exception) -> str:
    """What is wrong with a record, from what reading it has come to."""
    return f"it has no {error.args[0]}" if isinstance(error, KeyError) else str(error)


def identity(record: Any) -> str:
    """What a record calls itself, for those who look for it."""
    return str((isinstance(record, dict) and record.get("id")) or "without-id")[:200]


def _odd(service: str, what: str) -> ServiceError:
    return ServiceError(f"{service}'s answer cannot be understood: {what}.", service=service)
