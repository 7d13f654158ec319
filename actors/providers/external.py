"""The external service: the records that have changed since a cursor, those deleted included."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from callboard.actors.providers import where
from callboard.actors.providers.http import Service

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


@dataclass(frozen=True, slots=True)
class Page:
    """A page of changes, the oldest first; `cursor` is where the next one begins, now or another day."""

    records: tuple[Record, ...]
    cursor: str
    has_more: bool


class External:
    """A client. It raises ServiceError where the service does not do what it is asked."""

    def __init__(self) -> None:
        place = where.external()
        self._service = Service(
            "The external service",
            place.base_url,
            token=place.token,
            per_second=None if place.sandboxed else PER_SECOND,
            patience_s=45.0,
        )

    def changes(self, *, cursor: str | None, since: datetime, limit: int = PAGE) -> Page:
        """What has changed after the cursor, or where there is none since a moment."""
        params: dict[str, Any] = {"limit": limit}
        params |= {"since": since.isoformat()} if cursor is None else {"cursor": cursor}
        answer = self._service.get("v1/records", params)
        records = tuple(_record(each) for each in answer["records"])
        return Page(records, str(answer["cursor"]), bool(answer["has_more"]))

    def pages(self, *, cursor: str | None, since: datetime, limit: int = PAGE) -> Iterator[Page]:
        """What `changes` answers, page after page to the last."""
        more = True
        while more:
            page = self.changes(cursor=cursor, since=since, limit=limit)
            yield page
            cursor, more = page.cursor, page.has_more


def _record(record: Mapping[str, Any]) -> Record:
    identity = str(record.get("id") or "without-id")[:200]
    try:
        deleted, data = bool(record.get("deleted", False)), record.get("data")
        if not deleted and not isinstance(data, dict):
            raise ValueError(f"its data are {data!r:.80}")
        at = datetime.fromisoformat(record["changed_at"])
        if at.tzinfo is None:
            raise ValueError(f"changed_at is {record['changed_at']!r}, without a zone")
        return Record(identity, at.isoformat(), data if isinstance(data, dict) else None, deleted)
    except (KeyError, TypeError, ValueError) as error:
        what = f"it has no {error.args[0]}" if isinstance(error, KeyError) else str(error)
        return Record(identity, error=f"The record {identity} makes no sense: {what}.")
