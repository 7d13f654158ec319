"""What a row of `"OutboundJob"` says to whom: its payload as the text of a message."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from callboard.actors.providers.whatsapp import MAX_TEXT
from callboard.actors.replies import Inbound, answer, intent_of
from callboard.core.courtesy import courteous
from callboard.core.errors import BadInput


@dataclass(frozen=True, slots=True)
class Composed:
    """A message that can be sent as it is."""

    id: int
    to: str
    text: str
    key: str
    #: Name, language and parameters of the template that goes out in the place of the text.
    template: tuple[str, str, tuple[str, ...]] | None = None


def compose(row: Any, *, stopped: bool = False) -> Composed:
    """The message of a row; `stopped`: its customer has just asked for no more.

    Raises:
        BadInput: it can never be sent, in one sentence why.
    """
    unwanted = row.unwanted or ("WhatsApp messages" if stopped and row.kind != "reply" else None)
    if unwanted:
        raise BadInput(f"The customer does not consent to {unwanted} (any more).")
    payload = row.payload if isinstance(row.payload, dict) else {}
    if row.kind == "template":
        return Composed(row.id, row.to, "", row.key, _template(payload))
    text = answer(_inbound(row, payload)) if row.kind == "reply" else payload.get("text")
    if not isinstance(text, str) or not text.strip():
        raise BadInput('The payload has no text: it must be a JSON object like {"text": "Hello"}.')
    if len(text) > MAX_TEXT:
        raise BadInput(f"The text has {len(text)} characters; WhatsApp takes {MAX_TEXT} at most.")
    return Composed(row.id, row.to, text, row.key)


def decent_hour(row: Any, now: datetime) -> datetime:
    """When the message of a row may reach whom it is for: now, or at the next decent hour there.

    Who has asked is answered at once; so is whoever we do not know as a customer. `"urgent": true` in the
    payload knows no night.
    """
    urgent = isinstance(row.payload, dict) and row.payload.get("urgent") is True
    if row.kind == "reply" or row.time_zone is None or urgent:
        return now
    return courteous(now, row.time_zone)


def says_stop(row: Any) -> bool:
    """Whether it is the reply to a customer who wants no more messages."""
    if row.kind != "reply" or not isinstance(row.payload, dict):
        return False
    try:
        return intent_of(_inbound(row, row.payload).text) == "stop"
    except BadInput:
        return False


def _template(payload: dict[str, Any]) -> tuple[str, str, tuple[str, ...]]:
    said = payload.get("template")
    said = said if isinstance(said, dict) else {}
    name, language, parameters = said.get("name"), said.get("language", "en"), said.get("parameters", [])
    if (
        not isinstance(name, str)
        or not name
        or not isinstance(language, str)
        or not isinstance(parameters, list)
        or not all(isinstance(value, str) and value.strip() for value in parameters)
    ):
        raise BadInput(
            "The payload has no template: it must be a JSON object like"
            ' {"template": {"name": "greeting", "language": "en", "parameters": ["Ada"]}}.'
        )
    return name, language, tuple(parameters)


def _inbound(row: Any, payload: dict[str, Any]) -> Inbound:
    said = payload.get("inbound")
    if isinstance(said, dict):
        said = said.get("text")
    if not isinstance(said, str):
        raise BadInput('The payload has nothing to answer: make it like {"inbound": {"text": "Hi"}}.')
    return Inbound(text=said, name=row.name or "", language=row.language or "en")
