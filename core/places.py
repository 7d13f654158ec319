"""Where alerts go: Apprise's URLs, apart by commas, and what may be shown of them."""

import re
from collections import Counter
from urllib.parse import urlsplit

#: A comma is part of an address, too; what begins the next one is its scheme.
_APART = re.compile(r"[\s,]+(?=[a-z0-9]+://)", re.IGNORECASE)
_ADDRESS = re.compile(r"[a-z0-9]{2,}://\S+", re.IGNORECASE)
#: Where the host is a host; with other services it may be a token.
_HOSTED = re.compile(r"(json|xml|form|mailto)s?", re.IGNORECASE)


def addresses(text: str) -> list[str]:
    """The URLs of a text.

    Raises:
        ValueError: one of them is none; the sentence does not show it.
    """
    found = [each.strip(" ,\n\t") for each in _APART.split(text.strip(" ,\n\t")) if each.strip(" ,\n\t")]
    for number, address in enumerate(found, 1):
        if not _ADDRESS.fullmatch(address):
            raise ValueError(f"what stands at place {number} is no URL such as mailto://user:password@host")
    return found


def place_names(found: list[str]) -> list[str]:
    """What may be shown of each URL, each name once: `mailto://mail.example.org`, `slack`, `slack 2`."""
    seen: Counter[str] = Counter()
    names = []
    for address in found:
        name = _shown(address)
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return names


def _shown(address: str) -> str:
    scheme = address.partition("://")[0].lower()
    if not _HOSTED.fullmatch(scheme):
        return scheme
    try:
        parts = urlsplit(address)
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return scheme
    return f"{scheme}://{parts.hostname or ''}{port}"
