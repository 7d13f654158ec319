"""The external service: the records that have changed since a cursor, those deleted included."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from callboard.actors.providers import where
from callboard.actors.providers.http import Service
from callboard.actors.providers.pages import Page, follow, identity, nonsense, read_page

NAME = "The external service"
#: The most that one page holds.
PAGE = 500
PER_SECOND = 20.0


@dataclass(frozen=True, slots=True)
class Record:
    """A change of a record. `error` says what is wrong with what was sent, "" if nothing is."""

    id: str
    changed_at: str = ""
    data: Mapping[str, Any] | None = None
    deleted: bool = False
    error: str = ""

    def row(self) -> dict[str, Any]:
        """The record as it is stored."""
        data = None if self.data is None else dict(self.data)
        return {
            "external_id": self.id,
            "data": data,
            "changed_at": self.changed_at,
            "deleted": self.deleted,
        }


class External:
    """A client. It raises ServiceError where the service does not do what it is asked."""

    def __init__(self) -> None:
        place = where.external()
        self._service = Service(
            NAME,
            place.base_url,
            token=place.token,
            per_second=None if place.sandboxed else PER_SECOND,
            patience_s=45.0,
        )

    def changes(self, *, cursor: str | None, since: datetime, limit: int = PAGE) -> Iterator[Page[Record]]:
        """What has changed after the cursor, or where there is none since a moment, page by page."""

        def ask(cursor: str | None) -> Page[Record]:
            params: dict[str, Any] = {"limit": limit}
            params |= {"since": since.isoformat()} if cursor is None else {"cursor": cursor}
            return read_page(NAME, self._service.get("v1/records", params), "records", _record)

        return follow(ask, cursor)


def _record(record: Any) -> Record:
    try:
        deleted, data = bool(record.get("deleted", False)), record.get("data")
        if not deleted and not isinstance(data, dict):
            raise ValueError(f"its data are {data!r:.80}")
        at = datetime.fromisoformat(record["changed_at"])
        if at.tzinfo is None:
            raise ValueError(f"changed_at is {record['changed_at']!r}, without a zone")
        if not isinstance(record["id"], str | int):
            raise ValueError("its id is neither a text nor a number")
        return Record(identity(record), at.isoformat(), data if isinstance(data, dict) else None, deleted)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        which = identity(record)
        return Record(which, error=f"The record {which} makes no sense: {nonsense(error)}.")
