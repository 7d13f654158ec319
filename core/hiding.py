"""Takes secrets out of what is about to be shown: by value, by the name of a field, by where they stand."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from callboard.core.settings import SECRETS, Settings

#: What stands in place of a secret.
HIDDEN = "***"
#: Shorter ones are not looked for: they would make holes in harmless words.
SHORTEST_SECRET = 6

_NAMES = "passw|secret|token|authorization|cookie|dsn|api_?key|private_?key"
_FIELD = re.compile(_NAMES, re.IGNORECASE)
_PLACES = (
    ("://", re.compile(r"(?P<kept>[a-z][a-z0-9+.-]*://[^\s/@:\"']*:)[^\s/@\"']+(?=@)", re.IGNORECASE)),
    ("=", re.compile(rf"(?P<kept>\b\w*(?:{_NAMES})\w*=)[^\s&;,'\"\\]+", re.IGNORECASE)),
    ("earer ", re.compile(r"(?P<kept>\bbearer\s+)[\w.~+/=-]+", re.IGNORECASE)),
)

_secrets: set[str] = set()


def hide_secrets(values: Iterable[str]) -> None:
    """From now on, never show these values, wherever they turn up."""
    for value in values:
        if len(value) >= SHORTEST_SECRET:
            _secrets.update((value, json.dumps(value)[1:-1], quote(value, safe="")))


def hide_settings(settings: Settings) -> None:
    """Never show the secrets among the settings; of a server's address that is the password."""
    for name in SECRETS:
        value = getattr(settings, name.lower(), None)
        if not value:
            continue
        if isinstance(value, str):
            hide_secrets([unquote(urlsplit(value).password or "")])
        else:
            hide_secrets([value.get_secret_value()])


def hide(text: str) -> str:
    """The text without secrets."""
    for secret in _secrets:
        if secret in text:
            text = text.replace(secret, HIDDEN)
    for mark, place in _PLACES:
        if mark in text:
            text = place.sub(rf"\g<kept>{HIDDEN}", text)
    return text


def hide_fields(fields: Mapping[Any, Any]) -> dict[str, Any]:
    """The fields, at any depth, without the values of those whose names speak of a secret."""
    shown: dict[str, Any] = {}
    for key, value in fields.items():
        if isinstance(value, str | bytes) and _FIELD.search(str(key)):
            shown[str(key)] = HIDDEN
        else:
            shown[str(key)] = hide_fields(value) if isinstance(value, Mapping) else value
    return shown
