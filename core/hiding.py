"""Takes secrets out of what is about to be shown: by value, by the name of a field, by where they stand."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
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


def hide_arguments(
    args: Sequence[Any], kwargs: Mapping[str, Any], names: Sequence[str]
) -> tuple[list[Any], dict[str, Any]]:
    """What a job was given, without secrets; `names` are its parameters in their order."""
    named = [(names[place] if place < len(names) else "", value) for place, value in enumerate(args)]
    return [_hidden(name, value) for name, value in named], hide_value(dict(kwargs))


def hide_value(value: Any) -> Any:
    """Data as JSON has it, without secrets at any depth."""
    if isinstance(value, Mapping):
        return {str(key): _hidden(str(key), each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [hide_value(each) for each in value]
    return hide(value) if isinstance(value, str) else value


def put_back(given: Any, shown: Any, raw: Any) -> Any:
    """What somebody has made of what was `shown`, with the secrets of `raw` where the text is as shown.

    In a list that has become longer or shorter it cannot be told which is which: there the marks stay.
    """
    if isinstance(given, str):
        return raw if isinstance(raw, str) and given == shown else given
    if all(isinstance(each, Mapping) for each in (given, shown, raw)):
        return {key: put_back(value, shown.get(key), raw.get(key)) for key, value in given.items()}
    if all(isinstance(each, list) for each in (given, shown, raw)) and len(given) == len(shown) == len(raw):
        return [put_back(*each) for each in zip(given, shown, raw, strict=True)]
    return given


def has_marks(value: Any) -> bool:
    """Whether the mark of a hidden secret stands somewhere in data as JSON has it."""
    if isinstance(value, Mapping):
        return any(has_marks(each) for each in value.values())
    if isinstance(value, list | tuple):
        return any(has_marks(each) for each in value)
    return isinstance(value, str) and HIDDEN in value


def _hidden(name: str, value: Any) -> Any:
    """A value under a name; what speaks of a secret may be a text, or several."""
    if isinstance(value, str) and value and _FIELD.search(name):
        return HIDDEN
    if isinstance(value, list | tuple):
        return [_hidden(name, each) for each in value]
    return hide_value(value)
